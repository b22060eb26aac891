"""Carry what workers publish to the engine: buffer, seal, number, send, keep for a while."""
