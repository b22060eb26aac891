"""Notes over HTTP: whose they are, where they may stand, and that they are data."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import replace
from typing import Any

import pytest
from tests.gateway.conftest import QUICK
from tests.gateway.running import Running, running
from tests.gateway.signing import AUTH, bearer
from tests.gateway.worker import Worker

from runtail_broker.connections.client import Nodes

ALICE, BOB = {"Runtail-Author-Key": "a" * 16}, {"Runtail-Author-Key": "b" * 16}


@pytest.fixture
async def log(pushing: Running, worker: Worker) -> str:
    """The address of a log of 4 records."""
    await worker.open()
    await worker.log("one", "two", "three")
    return f"{pushing.address}/executions/{worker.execution_id}"


async def ask(
    gateway: Running, method: str, url: str, body: object = None, **headers: Any
) -> tuple[int, Any]:
    async with gateway.http.request(method, url, json=body, **headers) as answer:
        return answer.status, await answer.json(content_type=None)


async def test_a_note_is_written_edited_and_removed_by_its_author(
    pushing: Running, log: str
) -> None:
    body = {"seq": 2, "to_seq": 3, "text": "look", "author": "Alice"}
    status, note = await ask(pushing, "POST", f"{log}/notes", body, headers=ALICE)
    assert status == 201
    assert note == note | body | {"edited_at": None, "removed": False}
    _, listed = await ask(pushing, "GET", f"{log}/notes")
    assert (listed["notes"], listed["all"]) == ([note], True)
    one = f"{log}/notes/{note['id']}"
    status, edited = await ask(pushing, "PATCH", one, {"text": "look here"}, headers=ALICE)
    assert (status, edited["text"], edited["created_at"]) == (200, "look here", note["created_at"])
    assert edited["edited_at"] > note["created_at"]
    status, gone = await ask(pushing, "DELETE", one, headers=ALICE)
    assert (status, gone["removed"], gone["text"]) == (200, True, "")
    assert (await ask(pushing, "GET", f"{log}/notes"))[1]["notes"] == []
    assert (await ask(pushing, "PATCH", one, {"text": "again"}, headers=ALICE))[0] == 404


async def test_who_comes_again_with_the_place_is_told_only_if_something_changed(
    pushing: Running, log: str
) -> None:
    await ask(pushing, "POST", f"{log}/notes", {"seq": 1, "text": "a"}, headers=ALICE)
    _, first = await ask(pushing, "GET", f"{log}/notes")
    again = f"{log}/notes?after={first['notes_cursor']}"
    assert await ask(pushing, "GET", again) == (
        200,
        {"notes": [], "all": False, "notes_cursor": first["notes_cursor"]},
    )
    await ask(pushing, "POST", f"{log}/notes", {"seq": 1, "text": "b"}, headers=ALICE)
    _, later = await ask(pushing, "GET", again)
    assert ([note["text"] for note in later["notes"]], later["all"]) == (["a", "b"], True)
    assert (await ask(pushing, "GET", log))[1]["notes"] == 2


async def test_nobody_else_edits_or_removes_a_note(pushing: Running, log: str) -> None:
    _, note = await ask(pushing, "POST", f"{log}/notes", {"seq": 1, "text": "a"}, headers=ALICE)
    _, nobodys = await ask(pushing, "POST", f"{log}/notes", {"seq": 1, "text": "b"})
    for headers in ({}, BOB):
        for each in (note, nobodys):
            one = f"{log}/notes/{each['id']}"
            for method, body in (("PATCH", {"text": "c"}), ("DELETE", None)):
                status, problem = await ask(pushing, method, one, body, headers=headers)
                assert (status, problem["code"]) == (403, "forbidden")
    _, listed = await ask(pushing, "GET", f"{log}/notes")
    assert [each["text"] for each in listed["notes"]] == ["a", "b"]


async def test_a_key_is_not_kept_and_does_not_open_notes_of_another_execution(
    pushing: Running, log: str, engine_nodes: Nodes, worker: Worker
) -> None:
    await ask(pushing, "POST", f"{log}/notes", {"seq": 1, "text": "a"}, headers=ALICE)
    key = worker.keys.notes
    ((_, fields),) = await engine_nodes.at(key, lambda node: node.xrange(key))
    assert ALICE["Runtail-Author-Key"].encode() not in b"".join(fields.values())
    other = Worker(engine_nodes, worker.execution_id + "-2")
    await other.open()
    copied = other.keys.notes
    await engine_nodes.at(copied, lambda node: node.xadd(copied, fields))
    _, listed = await ask(pushing, "GET", f"{log}-2/notes")
    one = f"{log}-2/notes/{listed['notes'][0]['id']}"
    assert (await ask(pushing, "DELETE", one, headers=ALICE))[0] == 403


@pytest.mark.parametrize(
    ("body", "detail"),
    [
        ({"text": "x"}, "seq is None, expected a line's number from 1 to 4"),
        ({"text": "x", "seq": 5}, "seq is 5, expected a line's number from 1 to 4"),
        ({"text": "x", "seq": True}, "seq is True, expected a line's number from 1 to 4"),
        ({"text": "x", "seq": 3, "to_seq": 2}, "to_seq is 2, expected a line's number from 3 to 4"),
        ({"seq": 1}, "text is None, expected a text of 1 to 4000 characters"),
        ({"seq": 1, "text": " \n"}, "text has 2 characters, expected a text of 1 to 4000"),
        ({"seq": 1, "text": "x" * 4001}, "text has 4001 characters, expected a text of 1 to 4000"),
        ({"seq": 1, "text": "x", "author": 7}, "author is 7, expected at most 100 characters"),
        ([1], "body is a JSON list, expected an object"),
    ],
)
async def test_what_makes_no_sense_is_refused_with_its_field(
    pushing: Running, log: str, body: object, detail: str
) -> None:
    status, problem = await ask(pushing, "POST", f"{log}/notes", body)
    assert (status, problem["code"]) == (400, "bad_request")
    assert problem["detail"].startswith(detail)
    assert (await ask(pushing, "GET", f"{log}/notes"))[1]["notes"] == []


async def test_a_bad_key_is_refused_and_a_text_of_the_greatest_length_taken(
    pushing: Running, log: str
) -> None:
    body = {"seq": 1, "text": "x" * 4000, "author": "é" * 100}
    for key in ("short", "x" * 201, "with space in it"):
        headers = {"Runtail-Author-Key": key}
        assert (await ask(pushing, "POST", f"{log}/notes", body, headers=headers))[0] == 400
    assert (await ask(pushing, "POST", f"{log}/notes", body, headers=ALICE))[0] == 201


async def test_markup_and_odd_characters_are_data(pushing: Running, log: str) -> None:
    text = "<img src=x onerror=alert(1)>\x00\x1b[31m\u2028\ud83d\ude00".encode(
        "utf-16", "surrogatepass"
    ).decode("utf-16")
    _, note = await ask(pushing, "POST", f"{log}/notes", {"seq": 1, "text": text, "author": text})
    _, listed = await ask(pushing, "GET", f"{log}/notes")
    assert (listed["notes"][0]["text"], listed["notes"][0]["author"]) == (text, text)
    assert listed["notes"] == [note]


@pytest.mark.parametrize("gateway_settings", [{"notes": 2}], indirect=True)
async def test_one_note_too_many_is_refused_until_one_is_removed(
    pushing: Running, log: str
) -> None:
    body = {"seq": 1, "text": "x"}
    notes = [(await ask(pushing, "POST", f"{log}/notes", body, headers=ALICE))[1] for _ in "ab"]
    assert (await ask(pushing, "POST", f"{log}/notes", body))[0] == 409
    await ask(pushing, "DELETE", f"{log}/notes/{notes[0]['id']}", headers=ALICE)
    assert (await ask(pushing, "POST", f"{log}/notes", body))[0] == 201


async def test_what_is_not_there_is_not_found(pushing: Running) -> None:
    url = f"{pushing.address}/executions/nobody/notes"
    assert (await ask(pushing, "GET", url))[0] == 404
    assert (await ask(pushing, "POST", url, {"seq": 1, "text": "x"}))[0] == 404
    assert (await ask(pushing, "DELETE", f"{url}/n"))[0] == 404


async def test_a_page_of_another_origin_writes_no_note(pushing: Running, log: str) -> None:
    headers = {"Origin": "https://evil.example"}
    for method, path in (("POST", ""), ("PATCH", "/n"), ("DELETE", "/n")):
        url = f"{log}/notes{path}"
        assert (await ask(pushing, method, url, {"seq": 1, "text": "x"}, headers=headers))[0] == 403


@pytest.fixture
async def signing_in(engine_nodes: Nodes, engine_url: str) -> AsyncIterator[Running]:
    async with running(replace(QUICK, auth=AUTH), engine_url) as gateway:
        yield gateway


def of(sub: str, scope: str, **claims: Any) -> dict[str, str]:
    return bearer(sub=sub, scope=scope, **claims)


async def test_signed_in_the_author_is_who_the_token_names(
    signing_in: Running, worker: Worker
) -> None:
    await worker.open()
    log = f"{signing_in.address}/executions/{worker.execution_id}"
    body = {"seq": 1, "text": "x", "author": "somebody else"}
    alice, bob = of("alice", "read publish"), of("bob", "read publish")
    status, note = await ask(signing_in, "POST", f"{log}/notes", body, headers=alice)
    assert (status, note["author"]) == (201, "alice")
    one = f"{log}/notes/{note['id']}"
    spoof = bob | {"Runtail-Author-Key": "sub:alice" + "x" * 16}
    for headers in (bob, spoof):
        assert (await ask(signing_in, "PATCH", one, {"text": "y"}, headers=headers))[0] == 403
        assert (await ask(signing_in, "DELETE", one, headers=headers))[0] == 403
    admin = of("carol", "admin")
    assert (await ask(signing_in, "PATCH", one, {"text": "y"}, headers=admin))[0] == 403
    assert (await ask(signing_in, "PATCH", one, {"text": "y"}, headers=alice))[0] == 200
    assert (await ask(signing_in, "DELETE", one, headers=admin))[0] == 200


async def test_writing_needs_publish_and_reading_read_of_that_execution(
    signing_in: Running, worker: Worker
) -> None:
    await worker.open()
    url = f"{signing_in.address}/executions/{worker.execution_id}/notes"
    body = {"seq": 1, "text": "x"}
    reader, writer = of("a", "read"), of("a", "publish")
    other = of("a", "read publish", runtail_executions=["other-*"])
    assert (await ask(signing_in, "GET", url, headers=reader))[0] == 200
    assert (await ask(signing_in, "POST", url, body, headers=reader))[0] == 403
    assert (await ask(signing_in, "GET", url, headers=writer))[0] == 403
    assert (await ask(signing_in, "POST", url, body, headers=writer))[0] == 201
    for method in ("GET", "POST"):
        assert (await ask(signing_in, method, url, body, headers=other))[0] == 403
    assert (await ask(signing_in, "GET", url))[0] == 401
