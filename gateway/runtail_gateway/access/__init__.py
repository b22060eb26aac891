"""Decide who comes in, who they are, and what they may do."""
