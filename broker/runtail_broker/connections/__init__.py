"""Reach the nodes of an engine: who serves what, commands over shared links, live messages."""
