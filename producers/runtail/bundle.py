"""Bundle ready-made records, so that the buffer handles many of them as one. Pure: no I/O."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

from runtail.pending import Bundle
from runtail_broker.record import LEVELS, level_of_ready

Given = bytes | Mapping[str, object]


def bundled(
    execution_id: str, records: Iterable[Given], *, most: int, max_bytes: int, max_record_bytes: int
) -> Iterator[Bundle | Given]:
    """Yield *records* in their order: those that are ready in bundles, the others as they are.

    A bundle holds at most *most* records and *max_bytes* of JSON, or one record.
    """
    bundle = _Bundling()
    for record in records:
        level = None
        if isinstance(record, bytes):
            level = level_of_ready(execution_id, record, max_record_bytes)
        if bundle.json and (level is None or bundle.size + len(record) > max_bytes):
            yield bundle.take()
        if level is None:
            yield record
            continue
        assert isinstance(record, bytes)
        bundle.add(record, level)
        if len(bundle.json) >= most:
            yield bundle.take()
    if bundle.json:
        yield bundle.take()


class _Bundling:
    """A bundle in the making."""

    __slots__ = ("_levels", "json", "size")

    def __init__(self) -> None:
        self.json: list[bytes] = []
        self._levels = [0] * len(LEVELS)
        self.size = 0

    def add(self, record: bytes, level: int) -> None:
        self.json.append(record)
        self._levels[level] += 1
        self.size += len(record)

    def take(self) -> Bundle:
        """Hand over what was collected, and begin anew."""
        debug, info, warning, error = self._levels
        bundle = Bundle(self.json, (debug, info, warning, error), self.size)
        self.json, self._levels, self.size = [], [0] * len(LEVELS), 0
        return bundle
