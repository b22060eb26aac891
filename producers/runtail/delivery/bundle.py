"""Bundle ready-made records, so that the buffer handles many of them as one. Pure: no I/O."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

import orjson

from runtail.delivery.pending import Bundle
from runtail.masks.masking import Masker
from runtail.settings import PublisherSettings
from runtail_broker.records.ready import level_of_ready, levels_of_ready
from runtail_broker.records.record import LEVELS, around_message

Given = bytes | Mapping[str, object]


@dataclass(frozen=True, slots=True)
class Bundler:
    """Bundle many records in a few looks at all of them, instead of some at each.

    What does not pass such a look (a record that is not ready, a secret that is to be masked) comes
    out as it was, to be looked at closely; it takes at most a bundle's worth of others with it.
    """

    mask: Masker
    settings: PublisherSettings

    def ready(
        self, execution_id: str, records: Sequence[Given]
    ) -> Iterator[Bundle | Sequence[Given]]:
        """Yield *records* in their order: those that are ready in bundles, the others as given."""
        most = self.settings.bundle_records
        for start in range(0, len(records), most):
            yield from self._halved(execution_id, records[start : start + most])

    def _halved(
        self, execution_id: str, records: Sequence[Given]
    ) -> Iterator[Bundle | Sequence[Given]]:
        some = [record for record in records if type(record) is bytes]
        if len(some) < len(records):
            yield records
            return
        size, half = sum(map(len, some)), len(some) // 2
        if size > self.settings.max_frame_bytes and half:
            yield from self._halved(execution_id, some[:half])
            yield from self._halved(execution_id, some[half:])
            return
        yield self._bundle(execution_id, some, size) or records

    def _bundle(self, execution_id: str, records: list[bytes], size: int) -> Bundle | None:
        lines = b"\n".join(records)
        if self.mask.may_be_in(lines):
            return None
        most = self.settings.max_record_bytes
        levels = levels_of_ready(execution_id, records, lines, most)
        return None if levels is None else Bundle(records, levels, size)

    def lines(
        self, execution_id: str, texts: Sequence[str], level: str, fields: Mapping[str, str]
    ) -> Iterator[Bundle | Sequence[str]]:
        """Yield *texts* in their order: as bundles of logs that also have *fields*, or as given.

        All get the time of this call.
        """
        if level not in LEVELS:
            yield texts
            return
        head, tail = around_message(execution_id, level, fields, self.mask)
        most = self.settings.bundle_records
        for start in range(0, len(texts), most):
            some = texts[start : start + most]
            yield self._line_bundle(head, some, tail, level) or some

    def _line_bundle(
        self, head: bytes, texts: Sequence[str], tail: bytes, level: str
    ) -> Bundle | None:
        try:
            array = orjson.dumps(texts)
        except TypeError:  # a lone surrogate
            return None
        if self.mask.may_be_in(array):
            return None
        # in an array of texts nothing but the end of one and the beginning of the next reads so
        records = [head + text + tail for text in array[2:-2].split(b'","')]
        size = sum(map(len, records))
        if size > self.settings.max_frame_bytes:
            return None
        if max(map(len, records)) > self.settings.max_record_bytes:
            return None
        debug, info, warning, error = (len(records) * (name == level) for name in LEVELS)
        return Bundle(records, (debug, info, warning, error), size)


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
