"""Follow several executions over one socket, each line under its execution's name."""

from __future__ import annotations

import json
import time
from collections.abc import Iterable, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass, field
from typing import Final, TextIO

from runtail.watching.listening import Cut, Message, executions_address, listen
from runtail.watching.retry_text import retry_text
from runtail.watching.tail_order import Order, place_of
from runtail.watching.terminal import Layout, json_line, notice, visible
from runtail.watching.viewer import InvalidMessage, Viewer
from runtail.watching.viewer_event import (
    Awaited,
    Broken,
    Done,
    Ended,
    Event,
    Gap,
    LogRecord,
    Records,
    Refused,
    Reset,
    Retry,
)

MOST: Final = 50
"""Executions that one socket is asked for."""
REFUSED: Final = "refused"
_PASSING: Final = frozenset({"too_many", "unavailable", "full", "newer_format", "draining"})
_NAME_WIDTH: Final = 24  # longer ids keep their ends, which differ
_COLORS: Final = tuple(f"\x1b[{code}m" for code in (36, 35, 34, 33, 32, 96, 95, 94, 93, 92))
_RESET: Final = "\x1b[0m"


@dataclass(slots=True)
class _Followed:
    """One of the executions: *outcome* is its status at the end, `refused`, or None so far."""

    name: str
    viewer: Viewer
    prefix: str
    layout: Layout
    outcome: str | None = None


@dataclass(slots=True)
class Screens:
    """Where lines go, and notices; *as_json*: records as they came, all else to *err*."""

    out: TextIO
    err: TextIO
    as_json: bool
    colored: bool
    _order: Order[list[str]] = field(default_factory=lambda: Order[list[str]](()), init=False)

    def prefixes(self, names: Sequence[str]) -> dict[str, str]:
        """Give each of *names* a prefix of one width, and a colour of its own."""
        shown = {name: _short(name) for name in names}
        width = max(map(len, shown.values()))
        return {
            name: self._paint(_COLORS[number % len(_COLORS)], f"{shown[name]:<{width}} │ ")
            for number, name in enumerate(names)
        }

    def begin(self, names: Iterable[str]) -> None:
        """Expect history of *names*, which is shown in the order of its time."""
        self._order = Order(names)

    def show(self, one: _Followed, event: Event) -> None:
        """Take *event*; `flush` writes what is in order."""
        match event:
            case Records(records):
                for record in records:
                    self._order.add(one.name, place_of(record.get("id")), self._lines(one, record))
            case Gap() | Reset() | Ended() if not self.as_json:
                lines = [one.prefix + line for line in one.layout.lines(event)]
                self._order.add(one.name, None, lines)
            case Broken():
                return
            case Awaited():
                self._order.is_live(one.name)
                self.tell(notice(event), one.prefix)
            case _:
                self.tell(notice(event), one.prefix)

    def is_live(self, one: _Followed) -> None:
        """Hold nothing back any more for the history of *one*."""
        self._order.is_live(one.name)

    def flush(self, *, all_of_it: bool = False) -> None:
        """Write what is in order by now."""
        pieces = self._order.rest() if all_of_it else self._order.ready()
        self._write([line for piece in pieces for line in piece])

    def tell(self, text: str, prefix: str = "") -> None:
        """Write a notice, which is no part of a log."""
        if text:
            print(f"runtail: {prefix}{visible(text)}", file=self.err, flush=True)

    def _lines(self, one: _Followed, record: LogRecord) -> list[str]:
        if self.as_json:
            return [json_line(record)]
        return [one.prefix + line for line in one.layout.lines(Records([record]))]

    def _write(self, lines: list[str]) -> None:
        if lines:
            self.out.write("\n".join(lines) + "\n")
            self.out.flush()

    def _paint(self, color: str, text: str) -> str:
        return f"{color}{text}{_RESET}" if self.colored else text


def follow_many(
    url: str, viewers: Mapping[str, Viewer], screens: Screens, token: str | None = None
) -> dict[str, str]:
    """Show all of them as it comes, until each has ended; return how each did."""
    prefixes = screens.prefixes(list(viewers))
    followed = {
        name: _Followed(name, viewer, prefixes[name], Layout(screens.colored))
        for name, viewer in viewers.items()
    }
    while any(one.outcome is None for one in followed.values()):
        cut = _one_connection(url, followed, screens, token)
        screens.flush(all_of_it=True)
        delay = _decide(followed, cut, screens, executions_address(url))
        if delay is not None:
            time.sleep(delay)
    return {name: one.outcome or REFUSED for name, one in followed.items()}


def _one_connection(
    url: str, followed: dict[str, _Followed], screens: Screens, token: str | None
) -> Cut:
    open_ones = {name: one for name, one in followed.items() if one.outcome is None}
    asked = [
        json.dumps({"type": "subscribe", "execution_id": name, **one.viewer.wish()})
        for name, one in open_ones.items()
    ]
    screens.begin(open_ones)
    with closing(listen(executions_address(url), token, say=asked, frames=False)) as messages:
        why = ""
        for message in messages:
            if isinstance(message, Cut):
                return Cut(message.code, why or message.reason)
            name, why = _address_of(message)
            one = open_ones.get(name)
            cut = None if one is None or one.outcome else _take(message, one, screens)
            if cut is not None:
                return cut
            screens.flush()
            if all(one.outcome is not None for one in open_ones.values()):
                break
    return Cut(None, "done")


def _take(message: Message, one: _Followed, screens: Screens) -> Cut | None:
    """Give *message* to whom it is for; a Cut if the connection is to be left."""
    try:
        events = one.viewer.take(message)
    except InvalidMessage as error:
        return Cut(None, str(error))
    for event in events:
        screens.show(one, event)
        if isinstance(event, Broken):
            return Cut(None, event.reason)
    one.outcome = one.viewer.status
    if one.outcome is not None or json.loads(message).get("type") == "caught_up":
        screens.is_live(one)
    return _refused(one, message, screens)


def _refused(one: _Followed, message: Message, screens: Screens) -> Cut | None:
    """End one that is refused for good; for one that is not, all begin anew a little later."""
    said = json.loads(message)
    if said.get("type") != "error":
        return None
    code, text = said.get("code"), str(said.get("message") or said.get("code"))
    if code in _PASSING:
        return Cut(None, text)
    one.outcome = REFUSED
    screens.is_live(one)
    screens.tell(text, one.prefix)
    return None


def _decide(
    followed: dict[str, _Followed], cut: Cut, screens: Screens, address: str
) -> float | None:
    """Judge the end of a connection for all; how long to wait before the next, if at all."""
    delays, tries, told = list[float](), 0, ""
    for one in followed.values():
        if one.outcome is not None:
            continue
        match one.viewer.cut(cut.code, cut.reason):
            case Done(status):
                one.outcome = status
            case Refused() as refusal:
                one.outcome, told = REFUSED, _spelled(refusal)
            case Retry(delay, tries):
                delays.append(delay)
    if told:
        screens.tell(told)
    if not delays:
        return None
    if text := retry_text(address, cut.reason, tries):
        screens.tell(text)
    return max(delays)


def _address_of(message: Message) -> tuple[str, str]:
    """Say whose *message* is, or what it says is wrong with the connection."""
    try:
        said = json.loads(message)
        if said.get("type") == "error" and "execution_id" not in said:
            return "", str(said.get("message") or said.get("code"))
        return str(said.get("execution_id") or ""), ""
    except (ValueError, AttributeError, RecursionError):
        return "", ""


def _spelled(refusal: Refused) -> str:
    return f"{refusal.message} (code {refusal.code})" if refusal.code else refusal.message


def _short(name: str) -> str:
    return visible(name) if len(name) <= _NAME_WIDTH else "…" + visible(name[1 - _NAME_WIDTH :])
