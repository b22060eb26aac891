"""Answer questions about one log: pages of it, files, steps, an overview."""
