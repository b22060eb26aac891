"""Notes come live: to every way of watching, through every gateway, also after the end."""

from __future__ import annotations

from functools import partial
from typing import Any

import orjson
import pytest
from tests.gateway.conftest import QUICK
from tests.gateway.notes.test_notes import ALICE, ask
from tests.gateway.running import PUSHED, Running, running
from tests.gateway.viewers.test_multiplex import Socket, connected
from tests.gateway.worker import Worker
from tests.polling import soon

from runtail import AsyncPublisher
from runtail_broker.connections.client import Nodes
from runtail_broker.script import delete_call


async def write(gateway: Running, worker: Worker, text: str) -> Any:
    url = f"{gateway.address}/executions/{worker.execution_id}/notes"
    status, note = await ask(gateway, "POST", url, {"seq": 1, "text": text}, headers=ALICE)
    assert status == 201
    return note


def texts(messages: list[dict[str, Any]]) -> list[str]:
    """What a client shows after these messages."""
    notes: dict[str, str] = {}
    for message in messages:
        if message["all"]:
            notes.clear()
        for note in message["notes"]:
            notes[note["id"]] = note["text"]
            if note["removed"]:
                del notes[note["id"]]
    return list(notes.values())


def is_told(socket: Socket, execution_id: str, count: int) -> bool:
    return len(texts(socket.of(execution_id, "notes"))) == count


async def test_a_viewer_gets_all_notes_after_hello_and_then_each_change(
    gateway: Running, worker: Worker
) -> None:
    await worker.open()
    first = await write(gateway, worker, "first")
    async with gateway.watch(worker.execution_id, "notes=true") as watcher:
        await watcher.caught_up()
        await watcher.until(lambda: watcher.of("notes"), "the notes")
        assert texts(watcher.of("notes")) == ["first"]
        await write(gateway, worker, "second")
        await watcher.until(lambda: len(texts(watcher.of("notes"))) == 2, "the second")
        url = f"{gateway.address}/executions/{worker.execution_id}/notes/{first['id']}"
        await ask(gateway, "PATCH", url, {"text": "other"}, headers=ALICE)
        await watcher.until(lambda: "other" in texts(watcher.of("notes")), "the edit")
        await ask(gateway, "DELETE", url, headers=ALICE)
        await watcher.until(lambda: texts(watcher.of("notes")) == ["second"], "the removal")
        await worker.log("goes on")
        await watcher.has(2)


async def test_who_does_not_ask_for_notes_gets_none(pushing: Running, worker: Worker) -> None:
    await worker.open()
    await write(pushing, worker, "first")
    async with pushing.watch(worker.execution_id) as watcher:
        await watcher.caught_up()
        await write(pushing, worker, "second")
        await worker.end()
        await watcher.closed()
        assert watcher.of("notes") == []


async def test_a_viewer_of_what_has_ended_gets_its_notes_before_the_end(
    pushing: Running, worker: Worker
) -> None:
    await worker.open()
    await worker.end()
    await write(pushing, worker, "late")
    async with pushing.watch(worker.execution_id, "notes=true") as watcher:
        await watcher.closed()
        assert texts(watcher.of("notes")) == ["late"]
        assert watcher.of("end")


async def test_two_gateways_see_each_others_notes_within_a_second_after_the_end(
    pushing: Running, worker: Worker, engine_url: str
) -> None:
    await worker.open()
    await worker.end()
    name = worker.execution_id
    async with (
        running(QUICK, engine_url, PUSHED) as other,
        connected(pushing) as here,
        connected(other) as there,
    ):
        for socket in (here, there):
            await socket.say("subscribe_notes", name)
            await socket.until(name, "subscribed_notes")
            (nothing,) = await socket.until(name, "notes")
            assert (nothing["notes"], nothing["all"]) == ([], True)
        for number, (gateway, listener) in enumerate(((pushing, there), (other, here)), 1):
            await write(gateway, worker, f"note {number}")
            await soon(partial(is_told, listener, name, number), "it is told", seconds=1)
        await here.say("unsubscribe_notes", name)
        await here.until(name, "unsubscribed_notes")
        count = len(here.of(name, "notes"))
        await write(pushing, worker, "note 3")
        await there.until(name, "notes", len(there.of(name, "notes")) + 1)
        assert len(here.of(name, "notes")) == count


async def test_who_comes_again_with_its_place_gets_only_what_it_lacks(
    pushing: Running, worker: Worker
) -> None:
    await worker.open()
    name = worker.execution_id
    await write(pushing, worker, "first")
    async with connected(pushing) as socket:
        await socket.say("subscribe_notes", name)
        (first,) = await socket.until(name, "notes")
    async with connected(pushing) as socket:
        await socket.say("subscribe_notes", name, after=first["notes_cursor"])
        (known,) = await socket.until(name, "notes")
        assert (known["notes"], known["all"]) == ([], False)
        await write(pushing, worker, "second")
        await socket.until(name, "notes", 2)
        assert texts(socket.of(name, "notes")) == ["second"]
        await socket.say("subscribe", name, notes=True)
        await socket.until(name, "caught_up")
        await socket.until(name, "notes", 3)
        assert sorted(texts(socket.of(name, "notes"))) == ["first", "second"]


@pytest.mark.parametrize("gateway_settings", [{"message_bytes": 2000}], indirect=True)
async def test_many_notes_come_in_several_messages_and_the_last_names_the_place(
    pushing: Running, worker: Worker
) -> None:
    await worker.open()
    for number in range(6):
        await write(pushing, worker, f"{number}" * 700)
    async with pushing.watch(worker.execution_id, "notes=true") as watcher:
        await watcher.until(
            lambda: any(each["notes_cursor"] for each in watcher.of("notes")), "the place"
        )
        messages = watcher.of("notes")
        assert [each["all"] for each in messages] == [True, False, False]
        assert [bool(each["notes_cursor"]) for each in messages] == [False, False, True]
        assert len(texts(messages)) == 6


async def test_subscriptions_to_notes_are_refused_by_name_and_the_socket_goes_on(
    pushing: Running, worker: Worker
) -> None:
    await worker.open()
    name = worker.execution_id
    async with connected(pushing) as socket:
        for odd, code in (("-", "bad_execution_id"), ("nobody", "not_found")):
            await socket.say("subscribe_notes", odd)
            (error,) = await socket.until(odd, "error")
            assert (error["code"], error["notes"]) == (code, True)
        await socket.say("subscribe_notes", name)
        await socket.until(name, "notes")
        await socket.say("subscribe_notes", name)
        (error,) = await socket.until(name, "error")
        assert error["code"] == "subscribed"
        await socket.say("subscribe", name)
        await socket.until(name, "caught_up")


@pytest.mark.parametrize("gateway_settings", [{"subscriptions": 2}], indirect=True)
async def test_notes_count_as_subscriptions(pushing: Running, worker: Worker) -> None:
    await worker.open()
    name = worker.execution_id
    async with connected(pushing) as socket:
        await socket.say("subscribe_notes", name)
        await socket.say("subscribe", name)
        await socket.until(name, "caught_up")
        await socket.say("subscribe_notes", "other")
        assert (await socket.until("other", "error"))[0]["code"] == "too_many"
        await socket.say("subscribe", "third")
        assert (await socket.until("third", "error"))[0]["code"] == "too_many"


async def test_who_reads_notes_of_a_deleted_execution_is_told(
    pushing: Running, worker: Worker, engine_nodes: Nodes
) -> None:
    await worker.open()
    name = worker.execution_id
    async with connected(pushing) as socket:
        await socket.say("subscribe_notes", name)
        await socket.until(name, "notes")
        for number in (1, 2):  # what comes after the subscription was confirmed
            await write(pushing, worker, f"note {number}")
            await socket.until(name, "notes", 1 + number)
        await engine_nodes.run(delete_call(name, force=True, remembered_seconds=60))
        (error,) = await socket.until(name, "error")
        assert error["code"] == "deleted"


async def test_an_event_stream_brings_notes(pushing: Running, worker: Worker) -> None:
    await worker.open()
    await write(pushing, worker, "<b>first</b>")
    await worker.end()
    url = f"{pushing.address}/executions/{worker.execution_id}/events?notes=true"
    async with pushing.http.get(url) as answer:
        body = await answer.text()
    data = [part.removeprefix("data: ") for part in body.splitlines() if '"notes"' in part]
    found = [orjson.loads(each) for each in data]
    assert texts([each for each in found if each["type"] == "notes"]) == ["<b>first</b>"]


async def test_who_watches_the_list_is_told_of_a_note_and_of_an_error(
    pushing: Running, engine_url: str, execution_id: str, engine_nodes: Nodes
) -> None:
    async with AsyncPublisher(engine_url) as publisher, connected(pushing) as socket:
        run = publisher.execution(execution_id)
        assert await run.until_opened()
        await socket.text('{"type": "watch"}')
        await soon(lambda: socket.of(None, "watching"), "it watches")
        await write(pushing, Worker(engine_nodes, execution_id), "look")
        run.error("it broke")

        def told() -> bool:
            states = [s for m in socket.of(None, "executions") for s in m["executions"]]
            return any(s["notes"] == 1 and s["last_error"] for s in states)

        await soon(told, "both are told", seconds=4)  # before the list is looked at by itself
        run.finish()
