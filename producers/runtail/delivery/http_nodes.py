"""Reach the engine through a gateway, over HTTP, where a worker may not reach it by itself."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, Final

import orjson

from runtail.delivery.backoff import AskedToWait
from runtail.delivery.http_client import HttpAnswer, HttpClient, Place
from runtail_broker.acks import MEMORY, Acks
from runtail_broker.errors import EngineRefused, RuntailError, Unavailable
from runtail_broker.records.spoken import (
    MEDIA_TYPE,
    Bounds,
    Primary,
    Said,
    Unspoken,
    body_of,
    pack,
    spoken,
    unpack_answers,
)
from runtail_broker.script import Answer, Call

Token = str | Callable[[], str]

_PATH: Final = "/publish"
_FIRST_CALLS: Final = 64  # until the gateway says how many it takes
_FIRST_BYTES: Final = 256 * 1024
_BODY_BYTES: Final = 1024 * 1024  # no more at once: beats wait behind it
_MOST_WAIT_SECONDS: Final = 60.0
_AWAY: Final = (408, 425, 429)


class HttpNodes:
    """What `Nodes` is for who reaches the engine: runs calls, and knows who serves an execution.

    The gateway at *url* serves all of them. Raises Unavailable when it does not answer (whether it
    did what was asked is then unknown) and EngineRefused when it refuses. Use within one event
    loop; one request is under way at a time.
    """

    def __init__(self, url: str, token: Token | None = None, timeout_seconds: float = 5.0) -> None:
        self._client = HttpClient(Place.of(url), timeout_seconds)
        self._token = token
        self.bounds: Bounds | None = None
        """What the gateway takes, as of its last answer; None before the first."""

    async def node_of(self, execution_id: str) -> HttpNodes:
        """Name who serves *execution_id*: always the gateway."""
        return self

    async def run_all(
        self, calls: Sequence[Call], *, replicated: bool = False, acks: Acks = MEMORY
    ) -> list[Answer | RuntailError]:
        """Run calls in order, in as few requests as the gateway takes; answers in order.

        The gateway knows by itself what has to be *replicated*, and lists what it opens. It waits
        for *acks* as long as its own setting says.
        """
        answers: list[Answer | RuntailError] = []
        for body, count in self._bodies([pack(spoken(call)) for call in calls]):
            some = await self._ask(body, count, acks)
            answers += [_of_call(answer) for answer in some]
        return answers

    async def primaries(self, execution_ids: Sequence[str]) -> list[str | RuntailError]:
        """Name the server that is primary for each execution now, or say why it is not told."""
        answers: list[Said] = []
        for body, count in self._bodies([pack(Primary(name)) for name in execution_ids]):
            answers += await self._ask(body, count)
        return [each if isinstance(each, RuntailError) else str(each) for each in answers]

    async def close(self) -> None:
        """Close the connection."""
        await self._client.close()

    def _bodies(self, packed: Sequence[bytes]) -> Iterator[tuple[bytes, int]]:
        """Make bodies of what was packed; one call that is large goes alone."""
        some: list[bytes] = []
        size = 0
        for each in packed:
            most, calls = self._room
            if some and (size + len(each) > most or len(some) >= calls):
                yield body_of(some), len(some)
                some, size = [], 0
            some.append(each)
            size += len(each)
        if some:
            yield body_of(some), len(some)

    @property
    def _room(self) -> tuple[int, int]:
        if self.bounds is None:
            return _FIRST_BYTES, _FIRST_CALLS
        return min(_BODY_BYTES, self.bounds.body_bytes // 2), self.bounds.calls

    async def _ask(self, body: bytes, count: int, acks: Acks = MEMORY) -> list[Said]:
        answer = await self._client.post(_PATH, body, self._headers(acks))
        if answer.status != 200:
            raise _refusal(answer)
        try:
            answers, self.bounds = unpack_answers(answer.body)
        except Unspoken as error:
            raise EngineRefused(f"what answered is no gateway of runtail: {error}") from error
        if len(answers) != count:
            raise Unavailable(f"the gateway answered {len(answers)} of {count} calls")
        return answers

    def _headers(self, acks: Acks) -> Mapping[str, str]:
        headers = {"Content-Type": MEDIA_TYPE, "Accept": MEDIA_TYPE}
        if acks.command:
            headers["Runtail-Acks"] = str(acks)
        if self._token is not None:
            headers["Authorization"] = f"Bearer {self._current_token()}"
        return headers

    def _current_token(self) -> str:
        try:
            token = self._token() if callable(self._token) else self._token
        except Exception as error:  # the worker's own code may raise anything
            raise Unavailable(f"no token: its function raised {error!r}") from error
        if not isinstance(token, str) or not token.isascii() or not token.isprintable():
            raise EngineRefused("the token is no text that a header can hold")
        return token


def _of_call(answer: Said) -> Answer | RuntailError:
    if isinstance(answer, str):
        return Unavailable(f"the gateway answered {answer[:40]!r} to a call")
    return answer


def _refusal(answer: HttpAnswer) -> RuntailError:
    """Say what an answer means that is no success: wait, or somebody must change something."""
    text = f"the gateway answered {answer.status}: {_detail(answer.body)}"
    if answer.status >= 500 or answer.status in _AWAY:
        return AskedToWait(text, _wait_seconds(answer.headers))
    return EngineRefused(text)


def _detail(body: bytes) -> str:
    try:
        problem: Any = orjson.loads(body)
        return str(problem["detail"])[:300]
    except (orjson.JSONDecodeError, KeyError, TypeError):
        return body[:100].decode(errors="backslashreplace") or "(nothing)"


def _wait_seconds(headers: Mapping[str, str]) -> float:
    text = headers.get("retry-after", "")
    if not (text.isascii() and text.isdigit()):
        return 0.0
    return min(float(text[:6]), _MOST_WAIT_SECONDS)
