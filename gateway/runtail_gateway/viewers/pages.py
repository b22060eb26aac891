"""Keep pages of history that viewers share, within a bound. Pure: no I/O."""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import dataclass

from runtail_broker.cursor import Cursor
from runtail_gateway.protocol.message import Message, Packed

_OVERHEAD_BYTES = 1024  # what a page costs beside its text


@dataclass(frozen=True, slots=True)
class Page:
    """What a viewer gets for its cursor: *notices* first (a gap, a reset), then *message*.

    *start* is where the viewer stands after the notices (None: where it stood); *reset* is the
    cursor beyond which it must drop what it has (None: nothing to drop). An empty page is proved:
    nothing follows the cursor.
    """

    message: Message | None = None
    notices: tuple[Message, ...] = ()
    start: Cursor | None = None
    reset: Cursor | None = None

    @property
    def is_empty(self) -> bool:
        """Whether the viewer stands where it stood."""
        return self.message is None and self.start is None


@dataclass(frozen=True, slots=True)
class Unrendered:
    """Records that lead from a cursor to *end*, read and proved: *messages* renders them in turn.

    At least one message is left. What they come from takes *frame_bytes*, what is rendered of them
    already *waiting_bytes*. *more* is set while nobody has looked whether something follows them.
    """

    messages: Packed
    end: Cursor
    frame_bytes: int
    waiting_bytes: int = 0
    more: bool = False


class PageCache:
    """Remember pages by execution and cursor, the least recently used ones dropped first.

    What is `Unrendered` becomes pages one by one. All of it was proved when it was read. `forget`
    empties it for an execution whose proof failed or whose subscription is fresh, so that nobody
    walks from one history into another.
    """

    def __init__(self, max_bytes: int) -> None:
        self._max_bytes = max_bytes
        self._bytes = 0
        self._pages: OrderedDict[tuple[str, Cursor], Page | Unrendered] = OrderedDict()
        self._of: dict[str, set[Cursor]] = {}

    def get(self, execution_id: str, cursor: Cursor) -> Page | Unrendered | None:
        """Look up what follows *cursor*."""
        page = self._pages.get((execution_id, cursor))
        if page is not None:
            self._pages.move_to_end((execution_id, cursor))
        return page

    def put(self, execution_id: str, cursor: Cursor, page: Page | Unrendered) -> None:
        """Remember *page*; one that is rendered holds a message."""
        self.drop(execution_id, cursor)
        self._pages[execution_id, cursor] = page
        self._of.setdefault(execution_id, set()).add(cursor)
        self._bytes += _size(page)
        while self._bytes > self._max_bytes and self._pages:
            self.drop(*next(iter(self._pages)))

    def forget(self, execution_id: str) -> None:
        """Drop all pages of *execution_id*."""
        for cursor in list(self._of.get(execution_id, ())):
            self.drop(execution_id, cursor)

    def drop(self, execution_id: str, cursor: Cursor) -> None:
        """Drop what follows *cursor*, if it is here."""
        page = self._pages.pop((execution_id, cursor), None)
        if page is None:
            return
        self._bytes -= _size(page)
        cursors = self._of[execution_id]
        cursors.discard(cursor)
        if not cursors:
            del self._of[execution_id]


def _size(page: Page | Unrendered) -> int:
    if isinstance(page, Unrendered):
        return _OVERHEAD_BYTES + page.frame_bytes + page.waiting_bytes
    return _OVERHEAD_BYTES + (_message_size(page.message) if page.message else 0)


def _message_size(message: Message) -> int:
    return message.size + sum(len(piece.entry.frame) for piece in message.pieces)
