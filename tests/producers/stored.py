"""Read what an engine holds of an execution, and take it back to an earlier moment."""

from __future__ import annotations

from typing import Any

import orjson
import redis

from runtail_broker.keys import ExecutionKeys, index_of
from runtail_broker.records.entry import Entry
from runtail_broker.records.frame import decode_frame


class Stored:
    """The engine at *url*, as a reader of its own sees it."""

    def __init__(self, url: str) -> None:
        self.redis = redis.Redis.from_url(url)

    def close(self) -> None:
        self.redis.close()

    def entries(self, execution_id: str) -> list[Entry]:
        rows: Any = self.redis.xrange(ExecutionKeys.of(execution_id).stream)
        return [Entry.from_stream(*row) for row in rows]

    def records(self, execution_id: str) -> list[dict[str, Any]]:
        """List every record, in order."""
        entries = self.entries(execution_id)
        return [orjson.loads(json) for e in entries for json in decode_frame(e.frame)]

    def messages(self, execution_id: str) -> list[str]:
        """List the messages of the log records, in order."""
        return [r["message"] for r in self.records(execution_id) if "kind" not in r]

    def kinds(self, execution_id: str) -> list[str]:
        """Name the kinds of all records, in order."""
        return [r.get("kind", "log") for r in self.records(execution_id)]

    def of_kind(self, execution_id: str, kind: str) -> list[dict[str, Any]]:
        return [r for r in self.records(execution_id) if r.get("kind") == kind]

    def statuses(self, execution_id: str) -> list[str]:
        return [record["status"] for record in self.of_kind(execution_id, "status")]

    def state(self, execution_id: str) -> dict[str, str]:
        stored: Any = self.redis.hgetall(ExecutionKeys.of(execution_id).state)
        return {key.decode(): value.decode() for key, value in stored.items()}

    def publishers(self, execution_id: str) -> dict[str, str]:
        stored: Any = self.redis.hgetall(ExecutionKeys.of(execution_id).publishers)
        return {key.decode(): value.decode() for key, value in stored.items()}

    def is_listed(self, execution_id: str) -> bool:
        return self.redis.zscore(index_of(execution_id), execution_id) is not None

    def snapshot(self, execution_id: str) -> dict[str, bytes | None]:
        """Copy the execution as it is now."""
        keys = ExecutionKeys.of(execution_id).for_scripts
        copies: list[Any] = [self.redis.dump(key) for key in keys]
        return dict(zip(keys, copies, strict=True))

    def go_back(self, snapshot: dict[str, bytes | None]) -> None:
        """Put an earlier copy in place of what is there, in one step, as a failover does."""
        with self.redis.pipeline(transaction=True) as pipe:
            for key, copy in snapshot.items():
                pipe.delete(key)
                if copy is not None:
                    pipe.restore(key, 0, copy)  # type: ignore[no-untyped-call, unused-ignore]
            pipe.execute()
