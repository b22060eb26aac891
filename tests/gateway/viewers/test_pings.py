"""One timer for all pings: who is pinged, and when."""

from __future__ import annotations

import asyncio

from tests.polling import soon

from runtail_gateway.viewers.pings import Pings


class Connection:
    """Notes each ping, and is added again where *answers* says that it answers."""

    def __init__(self, pings: Pings, seconds: float, *, answers: bool = False) -> None:
        self._pings, self._seconds, self._answers = pings, seconds, answers
        self.pinged: list[float] = []
        self.added = asyncio.get_running_loop().time()
        pings.add(self, seconds)

    def send_keepalive_ping(self) -> None:
        self.pinged.append(asyncio.get_running_loop().time() - self.added)
        if self._answers:
            self._pings.add(self, self._seconds)


async def test_each_is_pinged_once_when_its_time_has_come() -> None:
    pings = Pings()
    first = Connection(pings, 0.05)
    await asyncio.sleep(0.02)
    second = Connection(pings, 0.05)
    await soon(lambda: second.pinged, "the last one is pinged")
    assert [len(first.pinged), len(second.pinged)] == [1, 1]
    assert min(*first.pinged, *second.pinged) >= 0.049
    assert not pings


async def test_who_answers_is_pinged_again_and_again() -> None:
    connection = Connection(Pings(), 0.01, answers=True)
    await soon(lambda: len(connection.pinged) == 3, "it was pinged three times")


async def test_who_left_is_not_pinged_and_those_behind_it_are() -> None:
    pings = Pings()
    gone, there = Connection(pings, 0.01), Connection(pings, 0.01)
    pings.remove(gone)
    pings.remove(gone)  # twice is safe
    await soon(lambda: there.pinged, "the other one is pinged")
    assert not gone.pinged
