"""Publish by raw script calls, and read back what the stream holds: the truth for every viewer."""

from __future__ import annotations

import asyncio
import random
import secrets
from base64 import b64encode
from collections.abc import Awaitable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import orjson
from redis.asyncio import Redis

from runtail_broker.connections.client import Nodes
from runtail_broker.cursor import new_random
from runtail_broker.keys import ExecutionKeys
from runtail_broker.records.entry import Entry
from runtail_broker.records.frame import encode_frame
from runtail_broker.records.outline import outline
from runtail_broker.records.record import encode
from runtail_broker.records.rendering import render
from runtail_broker.records.splice import records_of
from runtail_broker.script import (
    Answer,
    Batch,
    Call,
    Limits,
    beat_call,
    close_call,
    finish_call,
    open_call,
    publish_call,
)


@dataclass(frozen=True, slots=True)
class Copy:
    """An execution as it was once: its keys, and where this worker stood then."""

    keys: dict[str, bytes]
    number: int
    sent: int


class Worker:
    """One publisher of one execution. While *unheard* is set, its live messages reach nobody."""

    def __init__(self, nodes: Nodes, execution_id: str, name: str = "") -> None:
        self.execution_id, self.name = execution_id, name or f"p-{secrets.token_hex(4)}"
        self.keys = ExecutionKeys.of(execution_id)
        self.unheard = False
        self._nodes = nodes
        self._number = self._sent = self._beats = 0

    async def open(self, role: str = "owner", limits: Limits | None = None) -> Answer:
        call = open_call(self.execution_id, self.name, role, "wf", limits or Limits())
        return await self._run(call)

    async def log(self, *messages: str) -> Answer:
        """Publish one batch of these messages; it must be stored."""
        return await self.log_records([{"message": message} for message in messages])

    async def log_records(self, records: Sequence[Mapping[str, object]]) -> Answer:
        """Publish one batch of these logs; it must be stored."""
        answer = await self._run(publish_call(self.execution_id, self.name, self._batch(records)))
        assert answer.word == "stored", answer
        return answer

    async def log_many(self, batches: int, records: int, size: int = 20) -> None:
        """Publish *batches* frames of *records* numbered messages of about *size* characters."""
        for _ in range(batches):
            await self.log(*(f"{self._sent + i} ".ljust(size, "x") for i in range(records)))

    async def log_noise(self, batches: int, records: int, size: int) -> None:
        """Do what `log_many` does, with messages that compressing makes hardly smaller."""
        chance = random.Random(1)
        for _ in range(batches):
            await self.log(
                *(b64encode(chance.randbytes(size)).decode()[:size] for _ in range(records))
            )

    async def log_lines(self, lines: Sequence[bytes]) -> Answer:
        """Publish one batch of these very bytes, as no SDK would."""
        return await self.log_frame(encode_frame(lines), len(lines))

    async def log_frame(self, frame: bytes, count: int) -> Answer:
        """Publish *frame*, whatever it is, as a batch of *count* records."""
        answer = await self._run(
            publish_call(self.execution_id, self.name, self._sealed(frame, count, len(frame)))
        )
        assert answer.word == "stored", answer
        return answer

    async def beat(self) -> Answer:
        self._beats += 1
        call = beat_call(self.execution_id, self.name, self._number, self._beats)
        return await self._run(call)

    async def close(self, status: str = "completed") -> Answer:
        answer = await self._run(close_call(self.execution_id, self.name, self._number, status))
        assert answer.word == "closed", answer
        return answer

    async def finish(self) -> Answer:
        return await self._run(finish_call(self.execution_id))

    async def end(self) -> None:
        """Leave with the final status, and append the `end` record."""
        await self.close()
        assert (await self.finish()).word == "ended"

    def forget(self) -> None:
        """Count batches from 1 again: the engine was emptied."""
        self._number = self._sent = 0

    # --- what is stored ------------------------------------------------------------------------

    async def entries(self) -> list[Entry]:
        rows = await self._at(lambda node: node.xrange(self.keys.stream))
        return [Entry.from_stream(*row) for row in rows]

    async def stored(self) -> list[dict[str, Any]]:
        """Read all records that the stream holds now."""
        texts = [render(entry) for entry in await self.entries()]
        return [orjson.loads(line) for text in texts for line in records_of(text)]

    async def copy(self) -> Copy:
        """Keep what the keys hold, as a replica that lags does."""

        async def dump(node: Redis) -> list[bytes]:
            pipe = node.pipeline(transaction=True)  # others may publish meanwhile
            for key in self.keys.for_scripts:
                pipe.dump(key)
            return await pipe.execute()

        keys = dict(zip(self.keys.for_scripts, await self._at(dump), strict=True))
        return Copy(keys, self._number, self._sent)

    async def fail_over(self, copy: Copy) -> None:
        """Put the keys back to *copy*, in one step: the old copy is the primary now."""

        async def restore(node: Redis) -> None:
            pipe = node.pipeline(transaction=True)
            for key, dumped in copy.keys.items():
                pipe.restore(key, 0, dumped, replace=True)
            await pipe.execute()

        await self._at(restore)
        self._number, self._sent = copy.number, copy.sent

    async def trim(self, frames: int) -> None:
        """Drop the first *frames* entries, as the script does when limits are reached."""
        entries = await self.entries()
        gone, first = entries[:frames], entries[frames]

        async def drop(node: Redis) -> None:
            pipe = node.pipeline(transaction=True)
            pipe.xdel(self.keys.stream, *(str(entry.id) for entry in gone))
            pipe.hset(self.keys.state, "first", str(first.seq))
            await pipe.execute()

        await self._at(drop)

    async def damage(self, number: int) -> None:
        """Break the frame of entry *number*; the stream is written anew around it."""
        entries = await self.entries()
        entries[number] = entries[number]._replace(frame=b"\x11damaged")

        async def rewrite(node: Redis) -> None:
            pipe = node.pipeline(transaction=True)
            pipe.delete(self.keys.stream)
            for e in entries:
                fields: dict[Any, Any] = {
                    "s": e.seq,
                    "n": e.count,
                    "p": e.before,
                    "t": e.tag,
                    "x": e.flags,
                }
                pipe.xadd(self.keys.stream, fields | {"f": e.frame}, id=str(e.id))
            await pipe.execute()

        await self._at(rewrite)

    # --- inside --------------------------------------------------------------------------------

    def _batch(self, records: Sequence[Mapping[str, object]]) -> Batch:
        lines = [encode(self.execution_id, record).json for record in records]
        errors = sum(record.get("level") == "error" for record in records)
        sealed = self._sealed(encode_frame(lines), len(lines), sum(map(len, lines)))
        return replace(sealed, outline=outline(lines, errors=errors, others=()))

    def _sealed(self, frame: bytes, count: int, size: int) -> Batch:
        before = self._sent
        self._number, self._sent = self._number + 1, before + count
        levels = (0, count, 0, 0)
        return Batch(self._number, before, count, new_random(), 0, levels, size, 0, "", frame)

    async def _run(self, call: Call) -> Answer:
        return await self._nodes.run(_unheard(call) if self.unheard else call)

    async def _at(self, act: Any) -> Any:
        return await self._nodes.at(self.keys.stream, act)


async def all_done(*awaitables: Awaitable[object]) -> None:
    """Await all of them; any failure is raised."""
    await asyncio.gather(*awaitables)


def _unheard(call: Call) -> Call:
    return replace(call, arguments=("nobody-listens", *call.arguments[1:]))
