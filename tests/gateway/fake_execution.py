"""One execution of the gateway that obeys its test: its log, its viewers, its pages."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any, Final

import orjson
from aiohttp import web

BEGAN: Final = datetime(2026, 11, 24, 3, 15, tzinfo=UTC)
MESSAGE_RECORDS: Final = 500

Json = dict[str, Any]


@dataclass(slots=True)
class Viewer:
    """One subscription: what it asked to resume after, newest first, and the socket it is on."""

    execution_id: str
    after: list[str]
    socket: web.WebSocketResponse

    async def send(self, message: Json) -> None:
        """Send *message* as one that concerns the execution."""
        named = {"execution_id": self.execution_id} | message
        await self.socket.send_str(orjson.dumps(named).decode())


@dataclass(slots=True)
class FakeExecution:
    """The log of one execution, and the viewers that are subscribed to it."""

    id: str
    status: str = "running"
    progress: int | None = None
    workflow_id: str | None = None
    records: list[Json] = field(default_factory=list)
    viewers: list[Viewer] = field(default_factory=list)
    connections: list[list[str]] = field(default_factory=list)
    refuse_with: tuple[str, str] | None = None
    ended: bool = False

    def cursor(self, seq: int | None = None) -> str:
        """Name the place after record *seq*, by default after the last."""
        seq = len(self.records) if seq is None else seq
        record_id = self.records[seq - 1]["id"] if seq else "0-0"
        return f"{record_id}:{seq}:{seq + 0xABC00000:08x}"

    def state(self) -> Json:
        """Describe the execution as `GET /executions` and `hello` do."""
        return {
            "id": self.id, "workflow_id": self.workflow_id, "status": self.status,
            "created_at": BEGAN.isoformat(), "started_at": BEGAN.isoformat(),
            "ended_at": (BEGAN + timedelta(seconds=83)).isoformat() if self.ended else None,
            "progress": self.progress, "reason": None, "epoch": "0badcafe",
            "first_seq": 1 if self.records else None, "last_seq": len(self.records) or None,
            "levels": self.levels(), "dropped": 0, "workers": {"open": 1, "silent": 0},
            "ended": self.ended,
        }  # fmt: skip

    def levels(self) -> dict[str, int]:
        """Count the logs by level."""
        found = [record.get("level") for record in self.records]
        return {level: found.count(level) for level in ("debug", "info", "warning", "error")}

    def make(self, message: str = "", **fields: Any) -> Json:
        """Append a record without sending it."""
        seq = len(self.records) + 1
        at = BEGAN + timedelta(milliseconds=seq)
        record: Json = {"execution_id": self.id, "timestamp": at.isoformat()}
        if fields.get("kind", "log") == "log":
            record |= {"message": message, "level": "info", "step_name": "load"}
        record |= fields | {"id": f"{1_795_490_100_000 + seq}-0", "seq": seq}
        self.records.append(record)
        if record.get("kind") == "status":
            self.status = record["status"]
        if record.get("kind") == "progress" and "name" not in record:
            self.progress = record["progress"]
        return record

    async def log(self, *messages: str, **fields: Any) -> None:
        """Append one record a message and send them together."""
        records = [self.make(message, **fields) for message in messages]
        await self.send({"type": "records", "records": records, "cursor": self.cursor()})

    async def send(self, message: Json) -> None:
        """Send *message* as it is to every viewer."""
        for viewer in list(self.viewers):
            await viewer.send(message)

    async def finish(self, status: str = "completed") -> None:
        """Append the final status and the end, and tell everybody."""
        self.ended = True
        over = (BEGAN + timedelta(seconds=83)).isoformat()
        await self.log("", kind="status", status=status, timestamp=over)
        await self.log("", kind="end", status=status, totals=self.totals(1))
        for viewer in list(self.viewers):
            await self.say_end(viewer)

    async def say_end(self, viewer: Viewer) -> None:
        """Tell *viewer* the totals; its subscription is over, its socket goes on."""
        await viewer.send({"type": "end", "status": self.status, "totals": self.totals()})
        self.leave(viewer)

    def leave(self, viewer: Viewer) -> None:
        """Forget *viewer*, if it is known."""
        if viewer in self.viewers:
            self.viewers.remove(viewer)

    def totals(self, more: int = 0) -> Json:
        """Sum up the log, and *more* records that follow."""
        last = len(self.records) + more
        return {"first": 1, "last": last, "records": last, "levels": self.levels(), "dropped": 0}

    async def cut(self) -> None:
        """Break every connection off without a word, as a dying network does."""
        for viewer in list(self.viewers):
            self.viewers.remove(viewer)
            transport = viewer.socket._req.transport if viewer.socket._req else None
            if transport:
                transport.abort()

    async def welcome(self, viewer: Viewer, tail: int | None = None) -> None:
        """Say hello, and send everything after the newest cursor that *viewer* named.

        Without one: the last *tail* records, None: all.
        """
        start = 0 if tail is None else max(0, len(self.records) - tail)
        seq = int(viewer.after[0].split(":")[1]) if viewer.after else start
        await viewer.send({
            "type": "hello", "protocol": 1, "epoch": "0badcafe", "cursor": self.cursor(seq),
            "execution": self.state() if self.records else None,
            "first": 1 if self.records else None, "last": len(self.records) or None,
        })  # fmt: skip
        while page := self.records[seq : seq + MESSAGE_RECORDS]:
            seq = page[-1]["seq"]
            await viewer.send({"type": "records", "records": page, "cursor": self.cursor(seq)})
        if self.ended:
            await self.say_end(viewer)
        else:
            self.viewers.append(viewer)  # in the same turn as the empty page: nothing in between
            await viewer.send({"type": "caught_up", "cursor": self.cursor()})

    def page(self, query: Mapping[str, str]) -> Json:
        """Answer `GET …/logs`: `after`, `before`, `tail` or `around`, and the filter."""
        limit = int(query.get("limit", 1000))
        if "after" in query:
            first = int(query["after"].split(":")[1])
            found = self._passing(self.records[first:], query)[:limit]
        elif "around" in query:
            middle = int(query["around"])
            found = self.records[max(0, middle - 1 - limit // 2) :][:limit]
        else:
            until = int(query.get("before", len(self.records) + 1)) - 1
            last = int(query.get("tail", limit))
            found = self._passing(self.records[:until], query)[-min(last, limit) :]
        end = found[-1]["seq"] if found else len(self.records)
        before = found[0]["seq"] if found and found[0]["seq"] > 1 else None
        answer: Json = {"records": found, "cursor": self.cursor(end), "before": before}
        answer["notices"] = []
        if {"q", "level", "step"} & set(query):
            answer["matches"] = [record["seq"] for record in found]
            answer["looked"] = {"first_seq": 1, "last_seq": len(self.records)}
        return answer

    def _passing(self, records: list[Json], query: Mapping[str, str]) -> list[Json]:
        level, step, text = query.get("level"), query.get("step"), query.get("q", "").lower()
        return [
            record
            for record in records
            if (level is None or record.get("level") in level.split(","))
            and (step is None or record.get("step_name") == step)
            and text in str(record.get("message", "")).lower()
        ]
