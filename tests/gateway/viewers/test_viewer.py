"""A viewer's way to the head: nothing that comes meanwhile may be passed over."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

import orjson
from tests.gateway.conftest import QUICK
from tests.gateway.running import Running
from tests.gateway.worker import Worker
from tests.polling import soon

from runtail_broker.cursor import START
from runtail_gateway.protocol.message import Message
from runtail_gateway.viewers.viewer import Viewer


class HeldOutlet:
    """Keep what is sent; hold back `caught_up` until it is let go."""

    def __init__(self) -> None:
        self.seqs: list[int] = []
        self.held, self.let_go = asyncio.Event(), asyncio.Event()
        self.write: Callable[[Message], bool] = self._write

    def _write(self, message: Message) -> bool:
        self.seqs += [r["seq"] for r in orjson.loads(message.json).get("records", ())]
        return True

    async def send(self, message: Message) -> None:
        if b'"caught_up"' in message.json:
            self.held.set()
            await self.let_go.wait()
        self._write(message)

    async def close(self, code: int, reason: str) -> None:
        """Nothing to close."""


async def test_a_record_that_comes_during_the_last_send_before_the_head_is_not_passed_over(
    gateway: Running, worker: Worker
) -> None:
    await worker.open()
    outlet = HeldOutlet()
    with gateway.hub.watch(worker.execution_id) as tail:
        viewer = Viewer(outlet, tail, [START], QUICK)
        viewer.start()
        await outlet.held.wait()
        await worker.log("while it waits")
        await soon(lambda: tail.cursor is not None and tail.cursor.number == 2, "it is tailed")
        outlet.let_go.set()
        await soon(lambda: tail.followers == 1, "the viewer is at the head")
        await worker.log("live")
        await soon(lambda: outlet.seqs[-1:] == [3], "the live record came")
        await viewer.stop()
    assert outlet.seqs == [1, 2, 3]
