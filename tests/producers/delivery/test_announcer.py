"""Telling the list's watchers is a courtesy: rare, and it never fails a worker."""

from __future__ import annotations

from collections.abc import Iterable

from runtail.delivery.announcer import Announcer
from runtail.delivery.ask import Ask
from runtail.delivery.journal import Journal
from runtail.delivery.link import Link
from runtail.settings import PublisherSettings
from runtail_broker.cursor import START
from runtail_broker.errors import Unavailable
from runtail_broker.script import Answer, finish_call

CALL = finish_call("exec-1")
OPEN, PUBLISH, PROGRESS, BEAT = (
    Ask("open", CALL),
    Ask("publish", CALL),
    Ask("publish", CALL, shown=True),
    Ask("beat", CALL),
)


class Told(Link):
    """A link to no engine, which notes what it is to tell."""

    def __init__(self, *, away: bool = False) -> None:
        super().__init__(lambda: None, PublisherSettings())
        self.told: list[list[str]] = []
        self._away = away

    async def tell(self, execution_ids: Iterable[str]) -> None:
        self.told.append(list(execution_ids))
        if self._away:
            raise Unavailable("it is away")


def answer(word: str, status: str = "running") -> Answer:
    return Answer(word, 1, START, cancel=False, status=status, epoch=1)


async def test_an_opening_and_a_change_of_status_are_told_once_each() -> None:
    link, journal = Told(), Journal("p", "exec-1")
    announcer = Announcer(link)
    for ask, word, status in (
        (OPEN, "created", "running"),
        (PUBLISH, "stored", "running"),
        (BEAT, "alive", "running"),
        (BEAT, "alive", "completed"),
        (BEAT, "alive", "completed"),
    ):
        announcer.note(journal, ask, answer(word, status), now=1.0)
        await announcer.tell()
    assert link.told == [["exec-1"], ["exec-1"]]


async def test_progress_is_told_once_a_second_and_the_last_one_with_a_later_answer() -> None:
    link, journal = Told(), Journal("p", "exec-1")
    announcer = Announcer(link)
    announcer.note(journal, OPEN, answer("created"), now=0.0)
    await announcer.tell()
    for now in (0.1, 0.2, 0.9, 1.0, 1.05):
        announcer.note(journal, PROGRESS, answer("stored"), now=now)
        await announcer.tell()
    assert len(link.told) == 2
    announcer.note(journal, BEAT, answer("alive"), now=1.2)
    await announcer.tell()
    announcer.note(journal, BEAT, answer("alive"), now=9.0)
    await announcer.tell()
    assert len(link.told) == 3


async def test_an_engine_that_does_not_take_it_is_left_alone_for_a_while() -> None:
    link, journal = Told(away=True), Journal("p", "exec-1")
    announcer = Announcer(link)
    for status in ("running", "lost", "running"):
        announcer.note(journal, BEAT, answer("alive", status), now=1.0)
        await announcer.tell()
    assert len(link.told) == 1
