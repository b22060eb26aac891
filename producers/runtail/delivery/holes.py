"""Say why batches are missing that no one can send any more. Pure: no I/O."""

from __future__ import annotations

from typing import Final

FAILOVER: Final = "lost in a failover"
UNREADABLE: Final = "unreadable in the spill file"
NO_ROOM: Final = "spill file full"


def reason_of_hole(after: int, before: int, acknowledged: int, *, unreadable: bool) -> str:
    """Say why the batches after number *after* and before number *before* are missing.

    The engine had those up to number *acknowledged*; the others waited in a spill file in vain.
    """
    in_vain = UNREADABLE if unreadable else NO_ROOM
    if before - 1 <= acknowledged:
        return FAILOVER
    return in_vain if acknowledged <= after else f"{FAILOVER}, or {in_vain}"
