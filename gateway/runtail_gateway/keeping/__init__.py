"""Look after the engine: lost workers, retention, the archive. One gateway at a time does."""
