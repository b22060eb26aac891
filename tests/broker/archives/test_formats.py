"""What the first version wrote is read for ever; what a newer one writes is refused by its name."""

from __future__ import annotations

import base64
import shutil
from functools import partial
from pathlib import Path
from typing import Any

import orjson
import pytest
from redis.asyncio import Redis
from tests.broker.executions import Execution
from tests.broker.record_formats import FORMATS, NAME
from tests.broker.shelf import end, messages, shelf_in

from runtail_broker.archives import archive_format
from runtail_broker.archives.archive import Archive, Archived
from runtail_broker.archives.archived import Part
from runtail_broker.archives.store import FolderStore
from runtail_broker.connections.client import Nodes
from runtail_broker.cursor import START, RecordId
from runtail_broker.errors import EngineRefused, InvalidFrame, NewerFormat
from runtail_broker.executions import Executions
from runtail_broker.inventory import Inventory
from runtail_broker.keys import ExecutionKeys
from runtail_broker.records.entry import Entry
from runtail_broker.records.frame import decode_frame, lines_of
from runtail_broker.records.rendering import render
from runtail_broker.records.splice import records_of
from runtail_broker.script import beat_call
from runtail_broker.stream import StreamReader

V1 = FORMATS / "v1"
LOG = (V1 / "log.ndjson").read_bytes().splitlines()
embedded = pytest.mark.parametrize("engine", ["embedded"], indirect=True)


def test_frames_of_every_codec_are_read() -> None:
    one, two, three = b'{"message":"one"}', b'{"message":\n"two"}', b'{"message":"three"}'
    frames = {name: (V1 / f"{name}.frame").read_bytes() for name in ("plain", "zstd", "lines")}
    assert [frame[0] for frame in frames.values()] == [0x10, 0x11, 0x12]
    assert decode_frame(frames["plain"]) == [one]
    assert decode_frame(frames["zstd"]) == [one, two, three] * 50
    assert decode_frame(frames["lines"]) == [one, three] * 50


async def restored(nodes: Nodes) -> Execution:
    """Put what the first version wrote into the engine."""
    keys = ExecutionKeys.of(NAME)
    stored = orjson.loads((V1 / "keys.json").read_bytes())
    for key in (keys.state, keys.publishers):
        await nodes.at(key, partial(_put, key, decoded(stored[key.rpartition(":")[2]])))
    for place, packed in stored["stream"].items():
        await nodes.at(keys.stream, partial(_append, keys.stream, place, decoded(packed)))
    execution = Execution(nodes, NAME)
    execution._sent["p1"] = (3, 33)
    return execution


async def _put(key: str, fields: dict[Any, Any], node: Redis) -> None:
    await node.hset(key, mapping=fields)


async def _append(key: str, place: str, fields: dict[Any, Any], node: Redis) -> None:
    await node.xadd(key, fields, place)


def decoded(fields: dict[str, str]) -> dict[Any, Any]:
    return {name: base64.b64decode(value) for name, value in fields.items()}


@embedded
async def test_an_execution_is_read_goes_on_and_is_archived(nodes: Nodes, tmp_path: Path) -> None:
    execution = await restored(nodes)
    assert await log_of(execution) == LOG
    state = await Executions(nodes).state(NAME)
    assert state is not None
    assert (state.status, state.ended, state.last_seq) == ("completed", True, len(LOG))
    told = [orjson.loads(line).get("message") for line in LOG]
    assert (await execution.publish("of today")).word == "stored"
    await end(execution)
    shelf = shelf_in(nodes, tmp_path)
    await shelf.put_away(execution)
    assert await messages(shelf, NAME) == [text for text in told if text] + ["of today"]


async def log_of(execution: Execution) -> list[bytes]:
    return [line for entry in await execution.entries() for line in records_of(render(entry))]


async def test_an_archive_is_read(tmp_path: Path) -> None:
    archive, part, epoch = archived(tmp_path)
    assert await archive.verify(NAME, epoch, part) > 0
    held = archive_of(part, epoch)
    entries = await archive.after(held, RecordId(0, 0), 100)
    assert [line for entry in entries for line in records_of(render(entry))] == LOG
    assert entries[-1].end == part.last
    assert chained(entries, epoch)


def archived(folder: Path) -> tuple[Archive, Part, int]:
    """Put the archive that the first version wrote where it belongs."""
    (path,) = V1.glob("*.zst")
    epoch = int(base64.b64decode(orjson.loads((V1 / "keys.json").read_bytes())["state"]["epoch"]))
    place = folder / NAME / f"{epoch:08x}"
    place.mkdir(parents=True)
    shutil.copy(path, place)
    part = Part.parse(path.name.partition(".")[0])
    return Archive(FolderStore(folder), cache_bytes=100_000), part, epoch


def archive_of(part: Part, epoch: int) -> Archived:
    return Archived(NAME, epoch, (part,))


def chained(entries: list[Entry], epoch: int) -> bool:
    before = [epoch, *(entry.tag for entry in entries)]
    return [entry.before for entry in entries] == before[:-1]


def test_a_newer_frame_is_refused_as_such_and_a_damaged_one_is_not() -> None:
    """Its records are not lost: they must not be shown as if they were."""
    for read in (decode_frame, lines_of):
        with pytest.raises(NewerFormat, match="frame has version 2, expected at most 1"):
            read(b"\x20anything")
    with pytest.raises(NewerFormat):
        render(Entry(RecordId(1, 0), 1, 1, 0, 0, 0, b"\x20anything"))
    with pytest.raises(InvalidFrame):
        decode_frame(b"\x13anything")


async def test_a_newer_archive_is_refused_as_such(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    archive, part, epoch = archived(tmp_path)
    (path,) = V1.glob("*.zst")
    index = archive_format.read_index("it", path.read_bytes())
    monkeypatch.setattr(archive_format, "VERSION", 2)
    newer = index.encode()
    monkeypatch.undo()
    (tmp_path / NAME / f"{epoch:08x}" / path.name).write_bytes(newer)
    with pytest.raises(NewerFormat, match="has version 2, expected at most 1"):
        await archive.after(archive_of(part, epoch), RecordId(0, 0), 1)


@embedded
async def test_a_newer_state_is_refused_by_readers_and_scripts(nodes: Nodes) -> None:
    """Nobody guesses at it, and nobody writes to it; in a list it is left out."""
    execution = await restored(nodes)
    before = await execution.entries()
    await execution.set_state(format=2)
    with pytest.raises(NewerFormat, match="has version 2, expected at most 1"):
        await StreamReader(nodes).after(NAME, START)
    with pytest.raises(NewerFormat):
        await Executions(nodes).state(NAME)
    assert await Executions(nodes).states([NAME]) == []
    assert await Executions(nodes).looks([NAME]) == []
    assert await Inventory(nodes).kept([NAME]) == []
    batch = await execution.skip("a")
    for call in (execution.send(batch), nodes.run(beat_call(NAME, "p1", 3, 9))):
        with pytest.raises(EngineRefused, match="NEWERFORMAT the state has version 2"):
            await call
    assert await execution.entries() == before
