"""Answer `GET /figures`: how many executions a minute, how long they take, what fails."""

from __future__ import annotations

import asyncio
import time
from collections import OrderedDict
from typing import Any, Final

import orjson
from starlette.requests import Request
from starlette.responses import Response

from runtail_broker.connections.client import Nodes
from runtail_broker.inventory import Inventory
from runtail_broker.state import rfc3339
from runtail_broker.tally import Tally
from runtail_gateway.access.access import Access
from runtail_gateway.access.auth import Grant
from runtail_gateway.executions.figures import Figures, Window
from runtail_gateway.executions.ledger import Ledger
from runtail_gateway.protocol.number import is_number
from runtail_gateway.protocol.problem import BadRequest
from runtail_gateway.settings import GatewaySettings

_LEAST_SECONDS: Final = 60
_MOST_SECONDS: Final = 30 * 86_400
_USUAL_SECONDS: Final = 3600
_EARLIER_MS: Final = 86_400_000  # those created a day before the window may have ended in it
_AT_ONCE: Final = 500  # executions that are added up before others get their turn
_MOST_REMEMBERED: Final = 16
_Asked = tuple[int, tuple[str, ...] | None, tuple[str, ...] | None]
"""A window's seconds, and which executions and workflows the caller may read."""


class FiguresEndpoint:
    """The endpoint: one instance serves all requests of a gateway, and makes one answer at a time.

    What was made not long ago is told to all who may read the same.
    """

    def __init__(self, nodes: Nodes, settings: GatewaySettings, access: Access) -> None:
        self._settings, self._access = settings, access
        self._ledger, self._inventory = Ledger(nodes, settings), Inventory(nodes)
        self._turn = asyncio.Lock()
        self._made: OrderedDict[_Asked, tuple[float, bytes]] = OrderedDict()

    async def figures(self, request: Request) -> Response:
        """`GET /figures?window_seconds=`: of the executions that the caller may read."""
        grant = await self._access.require(request, "read")
        seconds = _seconds(request.query_params.get("window_seconds"))
        async with self._turn:
            told = await self._told(seconds, grant)
        return Response(told, media_type="application/json")

    async def _told(self, seconds: int, grant: Grant) -> bytes:
        asked = (seconds, grant.executions, grant.workflows)
        at, made = self._made.get(asked, (0.0, b""))
        if made and time.monotonic() - at < self._settings.figures_seconds:
            return made
        made = orjson.dumps(await self._figures(seconds, grant))
        self._made[asked] = time.monotonic(), made
        self._made.move_to_end(asked)
        if len(self._made) > _MOST_REMEMBERED:
            self._made.popitem(last=False)
        return made

    async def _figures(self, seconds: int, grant: Grant) -> dict[str, Any]:
        # by the engine's clock, as all times of executions are, whichever gateway is asked
        window = Window.of(seconds, await self._inventory.now_ms())
        looked = await self._ledger.look(max(0, window.since_ms - _EARLIER_MS))
        figures, ended = Figures(window), list[Tally]()
        for number, tally in enumerate(looked.tallies, 1):
            if grant.covers(tally.id, tally.workflow_id):
                figures.add(tally)
                if figures.has_ended_within(tally):
                    ended.append(tally)
            if number % _AT_ONCE == 0:
                await asyncio.sleep(0)
        newest = ended[: self._settings.figures_steps_looked]
        for number, (tally, steps) in enumerate(await self._ledger.steps(newest), 1):
            figures.add_steps(tally.workflow_id, steps)
            if number % _AT_ONCE == 0:
                await asyncio.sleep(0)
        return figures.json() | {
            "looked_since": rfc3339(looked.since_ms),
            "complete": looked.since_ms <= window.since_ms,
            "steps_counted": len(newest),
        }


def _seconds(text: str | None) -> int:
    if text is None:
        return _USUAL_SECONDS
    if not is_number(text, _MOST_SECONDS) or int(text) < _LEAST_SECONDS:
        expected = f"expected a whole number from {_LEAST_SECONDS} to {_MOST_SECONDS}"
        raise BadRequest(f"window_seconds is {text[:40]!r}, {expected}")
    return int(text)
