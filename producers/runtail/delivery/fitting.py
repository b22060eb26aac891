"""Fit what is to be sealed into what a gateway takes. Pure: no I/O.

Without a gateway, or with its defaults, everything fits: the publisher's own bounds are lower.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from typing import Final

import orjson

from runtail.delivery.pending import Bundle, Item, size_of
from runtail_broker.errors import InvalidRecord
from runtail_broker.records.record import LEVEL_NUMBER, LEVELS, Record, cut
from runtail_broker.records.spoken import Bounds

_RENAMED_BYTES: Final = 8
"""How much longer a record gets when its execution becomes `<id>.2` … `.1000`."""
_LOSS_BYTES: Final = 512


def fitted(items: Sequence[Item], bounds: Bounds | None) -> list[list[Item]]:
    """Share *items* out among batches within *bounds*, in order; cut records that are too long."""
    if bounds is None:
        return [list(items)]
    most = bounds.record_bytes - _RENAMED_BYTES
    batches: list[list[Item]] = [[]]
    records = size = 0
    for item, count in _fitting(items, bounds, most):
        length = max(size_of(item), 0 if size_of(item) else _LOSS_BYTES) + count * _RENAMED_BYTES
        over = records + count > bounds.batch_records or size + length > bounds.batch_bytes
        if batches[-1] and over:
            batches.append([])
            records = size = 0
        batches[-1].append(item)
        records, size = records + count, size + length
    return batches


def shrunk_by(before: Iterable[Item], after: Iterable[Sequence[Item]]) -> int:
    """How many bytes of JSON cutting took away."""
    return sum(map(size_of, before)) - sum(size_of(item) for items in after for item in items)


def _fitting(items: Sequence[Item], bounds: Bounds, most: int) -> Iterator[tuple[Item, int]]:
    """Yield each item, and how many records it makes."""
    for item in items:
        match item:
            case Bundle():
                if _is_small(item, bounds, most):
                    yield item, len(item.json)
                else:
                    yield from ((_short(record, most), 1) for record in _apart(item))
            case Record():
                yield _short(item, most), 1
            case _:
                yield item, 1


def _is_small(bundle: Bundle, bounds: Bounds, most: int) -> bool:
    count = len(bundle.json)
    return (
        count <= bounds.batch_records
        and bundle.size + count * _RENAMED_BYTES <= bounds.batch_bytes
        and max(map(len, bundle.json)) <= most
    )


def _apart(bundle: Bundle) -> Iterator[Record]:
    """Take a bundle apart; its records are logs."""
    for json in bundle.json:
        yield Record(json, LEVEL_NUMBER[orjson.loads(json)["level"]])


def _short(record: Record, most: int) -> Record:
    if len(record.json) <= most:
        return record
    fields = orjson.loads(record.json)
    try:
        return replace(record, json=cut(fields, most))
    except InvalidRecord as error:  # so many fields that cutting does not help
        level = fields.get("level") if fields.get("level") in LEVELS else "info"
        short = {
            "execution_id": fields["execution_id"],
            "level": level,
            "timestamp": fields.get("timestamp"),
            "message": str(fields.get("message"))[: most // 16],
            "note": f"left out: {error}"[:200],
        }
        return Record(orjson.dumps(short), LEVEL_NUMBER[level])
