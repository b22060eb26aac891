"""Drive one execution through the real scripts, and read back what the engine holds."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import orjson

from runtail_broker.connections.client import Nodes
from runtail_broker.cursor import new_random
from runtail_broker.keys import ExecutionKeys
from runtail_broker.records.entry import Entry
from runtail_broker.records.frame import encode_frame, lines_of
from runtail_broker.records.outline import outline
from runtail_broker.records.record import encode
from runtail_broker.records.splice import records_of, splice
from runtail_broker.script import (
    Answer,
    Batch,
    Limits,
    beat_call,
    close_call,
    finish_call,
    open_call,
    publish_call,
)

PUBLISHER = "p1"


def batch_of(
    execution_id: str, number: int, messages: Sequence[str], *, before: int = 0, level: str = "info"
) -> Batch:
    """Seal *messages* as a batch; *before* is how many records its publisher sent earlier."""
    records = [encode(execution_id, {"message": m, "level": level}).json for m in messages]
    levels = [0, 0, 0, 0]
    levels[("debug", "info", "warning", "error").index(level)] = len(records)
    return Batch(
        number,
        before,
        len(records),
        new_random(),
        0,
        (levels[0], levels[1], levels[2], levels[3]),
        sum(map(len, records)),
        0,
        "",
        encode_frame(records),
        outline(records, errors=levels[3], others=()),
    )


class Execution:
    """One execution of an engine, and the batches that its publishers sent."""

    def __init__(self, nodes: Nodes, execution_id: str) -> None:
        self.nodes, self.id = nodes, execution_id
        self.keys = ExecutionKeys.of(execution_id)
        self._sent: dict[str, tuple[int, int]] = {}

    async def open(
        self, publisher: str = PUBLISHER, role: str = "owner", limits: Limits | None = None
    ) -> Answer:
        return await self.nodes.run(open_call(self.id, publisher, role, "wf", limits or Limits()))

    async def publish(
        self, *messages: str, publisher: str = PUBLISHER, level: str = "info"
    ) -> Answer:
        """Publish *messages* as the publisher's next batch."""
        number, before = self._sent.get(publisher, (0, 0))
        batch = batch_of(self.id, number + 1, messages, before=before, level=level)
        self._sent[publisher] = (number + 1, before + len(messages))
        return await self.nodes.run(publish_call(self.id, publisher, batch))

    async def send(
        self, batch: Batch, publisher: str = PUBLISHER, hole_after: int | None = None
    ) -> Answer:
        return await self.nodes.run(publish_call(self.id, publisher, batch, hole_after))

    async def skip(self, *messages: str, publisher: str = PUBLISHER) -> Batch:
        """Seal the publisher's next batch without sending it."""
        number, before = self._sent.get(publisher, (0, 0))
        self._sent[publisher] = (number + 1, before + len(messages))
        return batch_of(self.id, number + 1, messages, before=before)

    async def beat(self, last: int, publisher: str = PUBLISHER, beat: int = 1) -> Answer:
        return await self.nodes.run(beat_call(self.id, publisher, last, beat))

    async def close(
        self,
        status: str = "",
        publisher: str = PUBLISHER,
        *,
        last: int | None = None,
        explicit: bool = False,
    ) -> Answer:
        last = self._sent.get(publisher, (0, 0))[0] if last is None else last
        call = close_call(self.id, publisher, last, status, explicit=explicit)
        return await self.nodes.run(call)

    async def finish(self) -> Answer:
        return await self.nodes.run(finish_call(self.id))

    async def entries(self) -> list[Entry]:
        rows: Any = await self.nodes.at(self.keys.stream, lambda n: n.xrange(self.keys.stream))
        return [Entry.from_stream(*row) for row in rows]

    async def records(self) -> list[dict[str, object]]:
        """Read every record that is kept, as a viewer would receive it."""
        return [
            orjson.loads(json)
            for entry in await self.entries()
            for json in records_of(splice(lines_of(entry.frame), entry.count, entry.id, entry.seq))
        ]

    async def state(self) -> dict[str, str]:
        stored: Any = await self.nodes.at(self.keys.state, lambda n: n.hgetall(self.keys.state))
        return {key.decode(): value.decode() for key, value in stored.items()}

    async def set_state(self, **fields: int | str) -> None:
        """Overwrite what the state says, as an accident would."""
        mapping: Any = {name: str(value) for name, value in fields.items()}
        await self.nodes.at(self.keys.state, lambda n: n.hset(self.keys.state, mapping=mapping))

    async def remove(self, *keys: str) -> None:
        await self.nodes.at(self.keys.state, lambda n: n.delete(*keys))
