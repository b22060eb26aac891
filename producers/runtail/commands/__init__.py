"""The sub-commands of `runtail` that need no gateway installed."""
