"""The ways to watch an execution: a transport, pushed or pulled, at one gateway or at two."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import product

from tests.gateway.event_watcher import EventWatcher
from tests.gateway.frames_watcher import FramesWatcher
from tests.gateway.many_watcher import ManyWatcher
from tests.gateway.page_watcher import PageWatcher
from tests.gateway.watcher import Watcher

WATCHERS: dict[str, type[Watcher]] = {
    "socket": Watcher,
    "many": ManyWatcher,
    "frames": FramesWatcher,
    "events": EventWatcher,
    "pages": PageWatcher,
}


@dataclass(frozen=True, slots=True)
class Way:
    """One way. *pulled*: under plain uvicorn, which has no transport to hand out.

    *two*: at two gateways on one engine, behind a proxy that leads each new connection to one of
    them.
    """

    transport: str
    pulled: bool = False
    two: bool = False

    @classmethod
    def named(cls, name: str) -> Way:
        """Read what `str()` wrote."""
        transport, serving, gateways = name.split("-")
        return cls(transport, serving == "pulled", gateways == "two")

    def __str__(self) -> str:
        serving, gateways = "pulled" if self.pulled else "pushed", "two" if self.two else "one"
        return f"{self.transport}-{serving}-{gateways}"

    @property
    def watcher(self) -> type[Watcher]:
        """The client that watches over its transport."""
        return WATCHERS[self.transport]


ALL = [str(Way(*each)) for each in product(WATCHERS, (False, True), (False, True))]
PUSHED, EVENTS, MANY, FRAMES, PAGES = (
    str(Way(transport)) for transport in ("socket", "events", "many", "frames", "pages")
)
PULLED = str(Way("socket", pulled=True))
