"""The careful client as a script that knows nothing but pages: it asks again after its cursors."""

from __future__ import annotations

import asyncio
from typing import Any
from urllib.parse import parse_qsl, quote

import aiohttp
import orjson
from tests.gateway.watcher import CLOSE_CODES, Watcher
from tests.polling import a_moment

from runtail_broker.cursor import START

_PAGE = 50  # records


class Problem(Exception):
    """An answer that is none of 200; *body* is its problem+json."""

    def __init__(self, body: dict[str, Any]) -> None:
        self.body = body
        super().__init__(str(body))


class PageWatcher(Watcher):
    """Follow `GET /executions/{id}/logs`, each page over a connection of its own.

    What pages and the state say is taken as the messages that a viewer would get; there are no
    beats, and `hello` says no more than the state. It ends where the state says `ended` and nothing
    follows the cursor.
    """

    def __init__(self, address: str, execution_id: str, query: str = "") -> None:
        super().__init__(address.replace("ws://", "http://"), execution_id, query)
        self._path = f"/executions/{quote(execution_id, safe='')}"
        self._http: aiohttp.ClientSession | None = None
        self._caught_up = False

    async def connect(self, query: str) -> None:
        await self.leave()
        self.close_code, self._caught_up = None, False
        connector = aiohttp.TCPConnector(force_close=True)
        self._http = aiohttp.ClientSession(connector=connector, headers=self.headers)
        pairs = parse_qsl(query, keep_blank_values=True)
        self._task = asyncio.create_task(self._follow(pairs))

    async def leave(self) -> None:
        self.reading.set()
        if self._task is not None:
            self._task.cancel()
            await asyncio.wait([self._task])
        if self._http is not None:
            await self._http.close()
        self._task = self._http = None

    async def come_back(self, address: str = "") -> None:
        await super().come_back(address.replace("ws://", "http://"))

    async def _follow(self, query: list[tuple[str, str]]) -> None:
        chosen = [pair for pair in query if pair[0] in ("level", "step")]
        place = [("after", "$") if pair == ("tail", "0") else pair for pair in query]
        try:
            place = await self._begin(place, wait=("wait", "true") in query)
            while not await self._turn([*place, *chosen, ("limit", str(_PAGE))]):
                place = [("after", str(cursor)) for cursor in self.memory.newest_first()]
                await self.reading.wait()
        except Problem as problem:
            code = problem.body["code"]
            self._say("error", code=code, message=problem.body["detail"])
            self.close_code = CLOSE_CODES[code]

    async def _begin(self, query: list[tuple[str, str]], wait: bool) -> list[tuple[str, str]]:
        """Wait until it is there, if that is wanted; return where to begin."""
        place = [pair for pair in query if pair[0] in ("after", "tail")]
        page = await self._page_if_there(place, wait)
        if page is None:
            self._say("hello", execution=None, cursor=str(START), epoch=None)
            self._catch_up(str(START))
            while await self._page_if_there(place, wait) is None:
                await a_moment()
            return [("after", str(START))]
        state = await self._get("", [])
        here = place[0][1] if place else f"0-0:0:{state['epoch']}"
        if here == "$":
            here = page["cursor"]
            place = [("after", here)]
        elif place and place[0][0] == "tail":
            here = "0-1"  # nowhere yet: the first record says where
        self._say("hello", execution=state, cursor=here, epoch=state["epoch"])
        return place

    async def _turn(self, query: list[tuple[str, str]]) -> bool:
        """Ask for one page; return whether it is the end."""
        page = await self._page(query)
        for notice in page["notices"]:
            self.take(orjson.dumps(notice))
        looked = page.get("looked")
        count = looked["last_seq"] - looked["first_seq"] + 1 if looked else len(page["records"])
        if count:
            omitted = {"omitted": count - len(page["records"])} if looked else {}
            self._say("records", records=page["records"], cursor=page["cursor"], **omitted)
            return False
        if not page["notices"]:
            self._catch_up(page["cursor"])
        if await self._ended():
            return True
        await a_moment()
        return False

    async def _ended(self) -> bool:
        state = await self._get("", [])
        if not state["ended"] or state["last_seq"] != self.cursor.number:
            return False
        (end,) = (await self._page([("tail", "1")]))["records"]
        self._say("end", status=end["status"], totals=end["totals"])
        self.close_code = 1000
        return True

    def _catch_up(self, cursor: str) -> None:
        if not self._caught_up:
            self._caught_up = True
            self._say("caught_up", cursor=cursor)

    def _say(self, kind: str, **fields: object) -> None:
        self.take(orjson.dumps({"type": kind, **fields}))

    async def _page_if_there(
        self, query: list[tuple[str, str]], wait: bool
    ) -> dict[str, Any] | None:
        try:
            return await self._page(query)
        except Problem as problem:
            if wait and problem.body["code"] == "not_found":
                return None
            raise

    async def _page(self, query: list[tuple[str, str]]) -> dict[str, Any]:
        return await self._get("/logs", query)

    async def _get(self, path: str, query: list[tuple[str, str]]) -> dict[str, Any]:
        assert self._http is not None
        async with self._http.get(self._address + self._path + path, params=query) as answer:
            body: dict[str, Any] = orjson.loads(await answer.read())
            if answer.status != 200:
                raise Problem(body)
            return body
