"""One execution on a real engine, which can be put back to what it was, as by a failover."""

from __future__ import annotations

import secrets
from typing import Any

import orjson
import redis

from runtail_broker.keys import ExecutionKeys
from runtail_broker.records.entry import Entry
from runtail_broker.records.frame import decode_frame
from runtail_broker.script import Answer, Call


class ModelEngine:
    """The execution *id*, a new one, at *url*; *copy* is what it held when it was last kept."""

    def __init__(self, url: str, kind: str) -> None:
        self.redis = redis.Redis.from_url(url)
        self.id = f"{kind}-{secrets.token_hex(6)}"
        self.keys = ExecutionKeys.of(self.id)
        self.copy: dict[str, bytes | None] = dict.fromkeys(self.keys.for_scripts)

    def run(self, call: Call) -> Answer:
        reply: Any = self.redis.eval(call.script.text, len(call.keys), *call.keys, *call.arguments)
        return Answer.read(reply)

    def keep(self) -> None:
        """Remember this moment."""
        self.copy = {key: self.redis.dump(key) for key in self.keys.for_scripts}

    def go_back(self) -> None:
        """Fail over to the moment that was kept."""
        for key, copy in self.copy.items():
            self.redis.delete(key)
            if copy is not None:
                self.redis.restore(key, 0, copy)

    def lines(self) -> list[bytes]:
        """Read the JSON of all records."""
        rows: Any = self.redis.xrange(self.keys.stream)
        return [json for row in rows for json in decode_frame(Entry.from_stream(*row).frame)]

    def records(self) -> list[dict[str, object]]:
        return [orjson.loads(json) for json in self.lines()]
