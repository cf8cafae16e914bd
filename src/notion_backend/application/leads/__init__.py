"""Leads as staff work them, and how they leave and come in files."""
