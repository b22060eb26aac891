"""Serve viewers: one tail for each watched execution, and who is behind or at its head."""
