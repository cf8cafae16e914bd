"""What an operator runs beside the service: backup, restore, import, export."""
