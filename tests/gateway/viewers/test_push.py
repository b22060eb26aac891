"""Writing to transports under the uvicorn that is installed: the contract with a private class."""

from __future__ import annotations

from typing import Any

from tests.gateway.running import Running
from tests.gateway.worker import Worker
from tests.polling import soon

from runtail_gateway.protocol.message import plain
from runtail_gateway.viewers.push import Push
from runtail_gateway.viewers.push import pushing as protocol_class


def protocol_of(gateway: Running) -> Any:
    (protocol,) = (c for c in gateway.server.server_state.connections if hasattr(c, "push"))
    return protocol


def test_this_uvicorn_has_a_transport_to_write_to() -> None:
    assert protocol_class() is not None


async def test_nothing_is_written_after_uvicorn_has_sent_a_close(
    pushing: Running, worker: Worker
) -> None:
    await worker.open()
    async with pushing.watch(worker.execution_id) as watcher:
        await watcher.caught_up()
        protocol = protocol_of(pushing)
        push: Push = protocol.push
        assert push.write(plain("beat", {"cursor": watcher.messages[-1]["cursor"]}))
        protocol.close_sent = True
        assert push.closing
        assert not push.write(plain("beat", {}))
        protocol.close_sent = False


async def test_nothing_is_written_after_the_server_has_said_goodbye(
    pushing: Running, worker: Worker
) -> None:
    await worker.open()
    async with pushing.watch(worker.execution_id) as watcher:
        await watcher.caught_up()
        protocol = protocol_of(pushing)
        push: Push = protocol.push
        protocol.shutdown()
        assert not push.write(plain("beat", {}))


async def test_nothing_is_written_to_a_connection_that_is_gone(
    pushing: Running, worker: Worker
) -> None:
    await worker.open()
    watcher = pushing.watch(worker.execution_id)
    await watcher.connect("")
    await watcher.caught_up()
    push: Push = protocol_of(pushing).push
    await watcher.leave()
    await soon(lambda: push.closing, "the push knows that its connection is gone")
    assert not push.write(plain("beat", {}))


def _frames(protocol: Any) -> list[str]:
    """Name the coroutines that wait, one in another, in the task that serves *protocol*."""
    (task,) = (t for t in protocol.tasks if t.get_coro().cr_frame.f_locals["self"] is protocol)
    names, waiting = [], task.get_coro()
    while hasattr(waiting, "cr_code"):
        names.append(waiting.cr_code.co_filename)
        waiting = waiting.cr_await
    return names


async def test_a_viewer_that_waits_holds_neither_its_request_nor_the_call_that_brought_it(
    pushing: Running, worker: Worker
) -> None:
    await worker.open()
    async with pushing.watch(worker.execution_id) as watcher:
        await watcher.caught_up()
        protocol = protocol_of(pushing)
        assert (protocol.request, protocol.response, protocol.scope) == (None, None, None)
        above = _frames(protocol)
        serving = next(n for n, name in enumerate(above) if name.endswith("websocket.py"))
        assert serving == 2, above  # uvicorn's own, and what goes on after the call
        assert not any("routing.py" in name or "middleware" in name for name in above)
