"""Name the parts of an execution's archive, as the state lists them. Pure: no I/O."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass

from runtail_broker.cursor import Cursor, RecordId

_PART = re.compile(r"(\d{1,15})-(\d{1,15})-(\d{1,15})-(\d{1,15})-([0-9a-f]{8})", re.ASCII)
_SUFFIX = ".ndjson.zst"


@dataclass(frozen=True, slots=True)
class Part:
    """Records from *first_seq* up to the cursor *last*, an unbroken run of frames in one object."""

    first_seq: int
    last: Cursor

    def __str__(self) -> str:
        place, tag = self.last.id, self.last.tag or 0
        return f"{self.first_seq}-{self.last.number}-{place.ms}-{place.n}-{tag:08x}"

    @classmethod
    def parse(cls, text: str) -> Part:
        """Read what `str()` wrote; ValueError for anything else."""
        match = _PART.fullmatch(text)
        if match is None:
            raise ValueError(
                f"part {text[:100]!r} is not valid, expected <first seq>-<last seq>-<ms>-<n>-<tag>"
            )
        first, last, ms, n, tag = match.groups()
        return cls(int(first), Cursor(RecordId(int(ms), int(n)), int(last), int(tag, 16)))


def parts_of(listed: str) -> tuple[Part, ...]:
    """Read the parts that a state lists, ascending."""
    return tuple(Part.parse(text) for text in listed.split())


def listed(parts: Iterable[Part]) -> str:
    """Spell *parts* as the state lists them."""
    return " ".join(map(str, parts))


def folder_of(execution_id: str, epoch: int) -> str:
    """Name what holds all parts of one history; the epoch keeps apart ids that a file system mixes
    up (`A` and `a`)."""
    return f"{execution_id}/{epoch:08x}"


def name_of(execution_id: str, epoch: int, part: Part) -> str:
    """Name the object of *part*: the same for whoever writes it, as is what it holds."""
    return f"{folder_of(execution_id, epoch)}/{part}{_SUFFIX}"


def named(name: str) -> tuple[int, Part] | None:
    """Read epoch and part out of a name that `name_of` made; None for any other name."""
    _, _, place = name.partition("/")
    epoch, _, rest = place.partition("/")
    try:
        return int(epoch, 16), Part.parse(rest.removesuffix(_SUFFIX))
    except ValueError:
        return None
