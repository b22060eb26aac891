"""How an execution stands, for whoever decides whether it is kept. Pure: no I/O."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

FIELDS: Final = (
    *("epoch", "seq", "ms", "n", "status", "open"),
    *("end", "guess", "raw", "dropped", "created"),
)


@dataclass(frozen=True, slots=True)
class Standing:
    """What a state says: *last_ms* is when its last record came, *created_ms* when it was opened.

    *ended*: the `end` record is its last. *guessed*: its final status is a gateway's guess.
    *spoken*: some worker published a record, or lost one.
    """

    epoch: int
    seq: int
    last_ms: int
    n: int
    status: str
    open: int
    ended: bool
    guessed: bool
    spoken: bool
    created_ms: int

    @classmethod
    def read(cls, values: Sequence[bytes | None]) -> Standing | None:
        """Read the fields named in `FIELDS`; None without a state, ValueError for nonsense."""
        epoch, seq, ms, n, status, is_open, end, guess, raw, dropped, created = values
        if epoch is None:
            return None
        return cls(
            epoch=int(epoch),
            seq=int(seq or 0),
            last_ms=int(ms or 0),
            n=int(n or 0),
            status=(status or b"").decode(),
            open=int(is_open or 0),
            ended=bool(end),
            guessed=guess == b"1",
            spoken=int(raw or 0) > 0 or int(dropped or 0) > 0,
            created_ms=int(created or 0) or int(ms or 0),
        )

    @property
    def seen(self) -> str:
        """What the script that deletes compares: it changes with whatever happens."""
        return f"{self.epoch} {self.seq} {self.last_ms}-{self.n} {self.status} {self.open}"
