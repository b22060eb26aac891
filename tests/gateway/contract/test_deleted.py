"""Somebody deletes what is watched: whoever watches is told, and so is who comes back."""

from __future__ import annotations

from tests.gateway.keeping.test_deletion import delete
from tests.gateway.running import Running
from tests.gateway.worker import Worker
from tests.polling import soon


async def test_whoever_watches_is_told_and_sent_away(gateway: Running, worker: Worker) -> None:
    await worker.open()
    await worker.log("one")
    async with gateway.watch(worker.execution_id) as watcher:
        await watcher.caught_up()
        assert (await delete(gateway, worker.execution_id, "?force=true"))[0] == 200
        await watcher.until(lambda: watcher.of("error"), "it is told")
        assert watcher.of("error")[0]["code"] == "deleted"
        assert watcher.of("reset") == []
        assert watcher.texts == ["one"]  # what is on screen stays
        await watcher.closed()
    await soon(lambda: not any(gateway.tails), "the tail is gone")


async def test_who_comes_back_to_it_is_told_too_whatever_it_waits_for(
    gateway: Running, worker: Worker
) -> None:
    await worker.open()
    await worker.end()
    await delete(gateway, worker.execution_id)
    async with gateway.watch(worker.execution_id, "wait=true&after=1-0:1:00000007") as watcher:
        await watcher.closed()
        assert watcher.of("error")[0]["code"] == "deleted"
        assert watcher.close_code == 4410
    url = f"{gateway.address}/executions/{worker.execution_id}"
    for path in ("", "/logs"):
        async with gateway.http.get(url + path) as answer:
            assert (answer.status, (await answer.json())["code"]) == (410, "deleted")
