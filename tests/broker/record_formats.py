"""Record what the present formats look like: `python -m tests.broker.record_formats`.

Only for a new version of a format, into a folder of its own: what was released is never recorded
anew, because engines and archives out there hold it.
"""

from __future__ import annotations

import asyncio
import base64
import tempfile
from pathlib import Path

import orjson
from tests.broker.executions import Execution
from tests.broker.shelf import shelf_in
from tests.engines import embedded_engine

from runtail_broker.connections.client import Nodes
from runtail_broker.records.frame import encode_frame
from runtail_broker.records.rendering import render

FORMATS = Path(__file__).with_name("formats")
NAME = "nightly"
_NOT_OF_THE_FIRST = ("format", "head", "max_age", "archived", "sealed", "archive")


async def record(folder: Path, url: str) -> None:
    """Write the keys of one execution, its log as viewers see it, and its archive."""
    nodes = Nodes.connect(url)
    execution = Execution(nodes, NAME)
    await execution.open()
    await execution.publish("a small frame", 'ü % \\ " \t')
    await execution.publish(*(f"line {number} of a large frame" for number in range(30)))
    batch = await execution.skip("with a break\nin it")
    await execution.send(batch)
    await execution.close("completed")
    await execution.finish()
    keys = {key.rpartition(":")[2]: await _dump(nodes, key) for key in execution.keys.for_scripts}
    for name in _NOT_OF_THE_FIRST:
        keys["state"].pop(name, None)
    (folder / "keys.json").write_bytes(orjson.dumps(keys, option=orjson.OPT_INDENT_2) + b"\n")
    lines = [render(entry).replace(b",\n", b"\n") for entry in await execution.entries()]
    (folder / "log.ndjson").write_bytes(b"\n".join(lines) + b"\n")
    records = [b'{"message":"one"}', b'{"message":\n"two"}', b'{"message":"three"}']
    frames = {
        "plain": encode_frame(records[:1]),
        "zstd": encode_frame(records * 50),
        "lines": encode_frame([records[0], records[2]] * 50),
    }
    for name, frame in frames.items():
        (folder / f"{name}.frame").write_bytes(frame)
    with tempfile.TemporaryDirectory() as place:
        await shelf_in(nodes, Path(place)).archiving.archive(NAME)
        _take(Path(place), folder)
    await nodes.close()


def _take(place: Path, folder: Path) -> None:
    (path,) = place.rglob("*.zst")
    (folder / path.name).write_bytes(path.read_bytes())


async def _dump(nodes: Nodes, key: str) -> dict[str, object]:
    """Read a stream as `id: fields`, or a hash, in base64."""
    if key.endswith(":stream"):
        rows = await nodes.at(key, lambda node: node.xrange(key))
        return {place.decode(): _encoded(fields) for place, fields in rows}
    return _encoded(await nodes.at(key, lambda node: node.hgetall(key)))


def _encoded(fields: dict[bytes, bytes]) -> dict[str, object]:
    return {name.decode(): base64.b64encode(value).decode() for name, value in fields.items()}


if __name__ == "__main__":
    (FORMATS / "v1").mkdir(parents=True, exist_ok=True)
    with embedded_engine() as engine_url:
        asyncio.run(record(FORMATS / "v1", engine_url))
