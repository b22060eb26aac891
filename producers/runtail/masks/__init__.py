"""Keep secrets inside the worker."""
