"""The floor of bursts: the same writer, fifty records a message."""

from tests.bench.contenders.writer import Feeder, Writer

__all__ = ["CONTENDER", "Feeder"]

CONTENDER = Writer("writer50", "raw writer, fifty records a message, no Redis, no WebSocket", 50)
