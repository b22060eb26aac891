"""How an execution stands, for whoever decides whether it is kept. Pure: no I/O."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from runtail_broker.cursor import Cursor, RecordId
from runtail_broker.proof import require_known

FIELDS: Final = (
    *("epoch", "seq", "ms", "n", "status", "open"),
    *("end", "guess", "raw", "dropped", "created"),
    *("tag", "bytes", "archived", "sealed", "archive", "first", "records", "format"),
    *("notes", "noted", "filed"),
)


@dataclass(frozen=True, slots=True)
class Standing:
    """What a state says: *last_ms* is when its last record came, *created_ms* when it was opened.

    *ended*: the `end` record is its last. *guessed*: its final status is a gateway's guess.
    *spoken*: some worker published a record, or lost one. *records* and *frame_bytes* are what the
    stream holds. Up to the seq *archived* (0: nothing) all lies in the parts *archive*, since
    *sealed_ms*. *noted* is the last change of its notes, *filed* the one up to which they lie
    there.
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
    tag: int = 0
    frame_bytes: int = 0
    archived: int = 0
    sealed_ms: int = 0
    archive: str = ""
    first_seq: int = 0
    records: int = 0
    notes: int = 0
    noted: int = 0
    filed: int = 0

    @classmethod
    def read(cls, values: Sequence[bytes | None]) -> Standing | None:
        """Read the fields named in `FIELDS`; None without a state, ValueError for nonsense."""
        epoch, seq, ms, n, status, is_open, end, guess, raw, dropped, created = values[:11]
        tag, kept, archived, sealed, archive, first, records, form = values[11:19]
        notes, noted, filed = values[19:]
        if epoch is None:
            return None
        require_known(form)
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
            tag=int(tag or 0),
            frame_bytes=int(kept or 0),
            archived=int(archived or 0),
            sealed_ms=int(sealed or 0),
            archive=(archive or b"").decode(),
            first_seq=int(first or 0),
            records=int(records or 0),
            notes=int(notes or 0),
            noted=int(noted or 0),
            filed=int(filed or 0),
        )

    @property
    def seen(self) -> str:
        """What the scripts that remove compare: it changes with whatever happens."""
        return f"{self.epoch} {self.seq} {self.last_ms}-{self.n} {self.status} {self.open}"

    @property
    def last(self) -> Cursor:
        """The cursor after the last record."""
        return Cursor(RecordId(self.last_ms, self.n), self.seq, self.tag)
