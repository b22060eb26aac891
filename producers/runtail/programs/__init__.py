"""Wrap any program: what it writes becomes records, line by line."""
