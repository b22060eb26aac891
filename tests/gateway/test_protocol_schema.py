"""The schema of the protocol holds for recorded messages, for fresh ones, and not for spoiled."""

from __future__ import annotations

from typing import Any

import jsonschema_rs
import orjson
import pytest
from tests.gateway.record_vectors import VECTORS
from tests.gateway.recorded_runs import RUNS, messages_of

from runtail_broker.records.record import KINDS
from runtail_gateway.web.description import protocol

SCHEMA = protocol()
GATEWAY = jsonschema_rs.Draft202012Validator(SCHEMA)
CLIENT = jsonschema_rs.Draft202012Validator({**SCHEMA, "$ref": "#/$defs/client_message"})


def validator(run: str) -> jsonschema_rs.Draft202012Validator:
    return CLIENT if run == "client" else GATEWAY


def vectors(run: str) -> list[dict[str, Any]]:
    lines = (VECTORS / f"{run}.ndjson").read_bytes().splitlines()
    return [orjson.loads(line) for line in lines]


def required(message: dict[str, Any]) -> set[str]:
    return {"notes"} if message["type"] == "notes" else set()


def spoiled(message: dict[str, Any]) -> list[dict[str, Any]]:
    """Make messages that are wrong in one thing: a field lacks, is of no type, or is unknown."""
    optional = {"omitted", "execution_id", "watch", "notes"} - required(message)
    needed = [name for name in message if name not in optional]
    lacking = [{k: v for k, v in message.items() if k != name} for name in needed]
    odd = [{**message, name: {"odd": []}} for name in message]
    return [*lacking, *odd, {**message, "surprise": 1}]


def test_the_schema_is_one_itself() -> None:
    jsonschema_rs.meta.validate(SCHEMA)


@pytest.mark.parametrize("run", RUNS)
def test_recorded_messages_are_valid(run: str) -> None:
    assert vectors(run)
    for message in vectors(run):
        validator(run).validate(message)


@pytest.mark.parametrize("run", RUNS)
async def test_the_messages_of_a_fresh_run_are_valid(run: str, engine_url: str) -> None:
    for message in await messages_of(run, engine_url):
        validator(run).validate(message)


@pytest.mark.parametrize("run", sorted(RUNS.keys() - {"client"}))
def test_spoiled_messages_are_not_valid(run: str) -> None:
    for message in vectors(run):
        for wrong in spoiled(message):
            assert not GATEWAY.is_valid(wrong), wrong


@pytest.mark.parametrize("name", ["seq", "id", "timestamp", "execution_id"])
def test_a_record_needs_what_all_have(name: str) -> None:
    message = next(each for each in vectors("whole") if each["type"] == "records")
    record = {key: value for key, value in message["records"][0].items() if key != name}
    assert not GATEWAY.is_valid({**message, "records": [record]})


@pytest.mark.parametrize(
    "said",
    [
        {"type": "subscribe"},
        {"type": "subscribe", "execution_id": "-"},
        {"type": "subscribe", "execution_id": "a", "tail": -1},
        {"type": "subscribe", "execution_id": "a", "after": "x"},
        {"type": "unsubscribe"},
        {"type": "subscribe_notes"},
        {"type": "subscribe_notes", "execution_id": "a", "after": ["x"]},
        {"type": "auth"},
        {"type": "shout"},
        {},
    ],
)
def test_what_a_client_should_not_say_is_not_valid(said: dict[str, Any]) -> None:
    assert not CLIENT.is_valid(said)


def test_the_recorded_runs_hold_every_type_of_message_and_every_kind_of_record() -> None:
    messages = [each for run in RUNS if run != "client" for each in vectors(run)]
    types = SCHEMA["$defs"]["gateway_message"]["properties"]["type"]["enum"]
    assert {message["type"] for message in messages} == set(types)
    records = [record for each in messages for record in each.get("records", ())]
    assert {record.get("kind", "log") for record in records} == set(KINDS)
