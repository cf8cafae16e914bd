"""Tests of the mail package, over real sockets."""
