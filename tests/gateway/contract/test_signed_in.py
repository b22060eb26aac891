"""Tokens: what they do not cover is forbidden, and a connection ends with its token."""

from __future__ import annotations

import math
import time

import pytest
from tests.gateway.running import Running
from tests.gateway.signing import AUTH, token
from tests.gateway.worker import Worker

signed = pytest.mark.parametrize(
    "gateway_settings", [pytest.param({"auth": AUTH}, id="signed")], indirect=True
)


@signed
async def test_what_a_token_does_not_cover_is_forbidden_whether_it_is_there_or_not(
    gateway: Running, worker: Worker
) -> None:
    await worker.open()
    texts = set()
    for name in (worker.execution_id, "unknown"):
        one = token(runtail_executions=["mine-*"])
        async with gateway.watch(name, "wait=true", token=one) as watcher:
            await watcher.closed()
            (error,) = watcher.messages
            assert (watcher.close_code, error["code"]) == (4403, "forbidden")
            texts.add(error["message"].replace(name, "it"))
    assert texts == {"the token grants no 'read' of execution 'it'"}


@signed
async def test_a_viewer_whose_token_expires_is_sent_away_and_goes_on_with_a_new_one(
    gateway: Running, worker: Worker
) -> None:
    await worker.open()
    short = token(exp=math.ceil(time.time() + 0.5))  # whole seconds
    async with gateway.watch(worker.execution_id, token=short) as watcher:
        await watcher.caught_up()
        await worker.log("in time")
        await watcher.until(lambda: watcher.texts == ["in time"], "it is heard")
        await watcher.closed()
        assert watcher.of("error")[0]["code"] == "expired"
        assert watcher.close_code == 4402
        await worker.log("too late")
        assert watcher.texts == ["in time"]
        watcher.headers = {"Authorization": f"Bearer {token()}"}
        await watcher.leave()
        await watcher.come_back()
        await watcher.has_all(await worker.stored())
