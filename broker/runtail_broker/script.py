"""Call the scripts that change an execution: what each takes, what each answers.

The scripts are the `.lua` files beside this module; each opens with the layout of what it touches.
`append.lua` is the head of all that may add a frame. Nothing here talks to Redis.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import orjson

from runtail_broker.cursor import Cursor, RecordId, new_random
from runtail_broker.keys import ExecutionKeys
from runtail_broker.records.outline import Outline
from runtail_broker.records.record import encode

Argument = str | bytes | int
_ALONE = ("probe", "claim", "unlist", "viewers")  # they touch no execution
_MOST_REASON = 1000  # characters


@dataclass(frozen=True, slots=True)
class Script:
    """A Lua script, and the digest by which Redis knows it."""

    name: str
    text: str
    sha: str


@cache
def script(name: str) -> Script:
    """Load a script by its file's name, behind the head that they share."""
    folder = Path(__file__).with_name("lua")  # not importlib.resources, which takes 10 ms to import
    text = (folder / f"{name}.lua").read_text()
    if name not in _ALONE:
        text = (folder / "append.lua").read_text() + text
    return Script(name, text, hashlib.sha1(text.encode()).hexdigest())


@dataclass(frozen=True, slots=True)
class Call:
    """One call of a script for one execution."""

    script: Script
    execution_id: str
    keys: tuple[str, ...]
    arguments: tuple[Argument, ...]


@dataclass(frozen=True, slots=True)
class Answer:
    """What a script said: *word*, the publisher's last stored batch, where the execution stands."""

    word: str
    last_batch: int
    last: Cursor
    cancel: bool
    status: str
    epoch: int

    @classmethod
    def read(cls, reply: Sequence[bytes]) -> Answer:
        """Read the reply that `answer()` in append.lua makes."""
        word, last_batch, ms, n, seq, tag, cancel, status, epoch = reply
        last = Cursor(RecordId(int(ms), int(n)), int(seq), int(tag))
        return cls(
            word.decode(), int(last_batch), last, cancel == b"1", status.decode(), int(epoch)
        )


@dataclass(frozen=True, slots=True)
class Limits:
    """What workers read from the engine when they open, so that both sides agree.

    Kept in the hash `runtail:settings` under these very names; operators change it there.
    """

    max_records: int = 10_000_000
    """Records kept of one execution; older ones are dropped from the head."""
    max_bytes: int = 1024 * 1024 * 1024
    """Bytes of frames kept of one execution."""
    max_age_seconds: int = 30 * 24 * 3600
    """How long a record is kept while its execution runs, at least; 0 for as long as it runs."""
    max_total_bytes: int = 8 * 1024 * 1024 * 1024
    """Bytes of frames kept of all executions; beyond, the gateways archive or remove finished ones,
    the oldest first."""
    max_publishers: int = 1024
    """Publishers that may have one execution open, or have had within the next setting."""
    publisher_memory_seconds: int = 7 * 24 * 3600
    """How long a publisher that has left is remembered: as long as its spill file may live."""


@dataclass(frozen=True, slots=True)
class Batch:
    """What one publisher sends for one execution in one call: sealed, so never changed again.

    *number* counts from 1; *before* is how many records the publisher's earlier batches stand for.
    *random* goes into the frame's tag. *levels* counts logs by level, *stands_for* what the `lost`
    records among them stand for, *outline* what the engine keeps of all of them. *marks* of its
    records tell of others that are missing, and stand for none themselves.
    """

    number: int
    before: int
    count: int
    random: int
    flags: int
    levels: tuple[int, int, int, int]
    json_bytes: int
    stands_for: int
    progress: str
    frame: bytes
    outline: Outline = ()  # none in the spill files of earlier versions
    marks: int = 0

    @property
    def weight(self) -> int:
        """How many records it stands for: what was dropped counts as if it were here."""
        return self.count - self.marks + self.stands_for


def open_call(
    execution_id: str,
    publisher: str,
    role: str,
    workflow_id: str,
    limits: Limits,
    begun: str | None = None,
    *,
    listens: bool = False,
) -> Call:
    """Create *execution_id*, or join it; *begun* is when the worker began (default: now).

    *listens* says that the worker does something about a wish to cancel.
    """
    status = {"status": "running", "workflow_id": workflow_id, "timestamp": begun}
    return _call(
        "open",
        execution_id,
        publisher,
        role,
        new_random(),
        new_random(),
        encode(execution_id, status, kind="status").json,
        workflow_id,
        limits.max_publishers,
        limits.publisher_memory_seconds * 1000,
        limits.max_records,
        limits.max_bytes,
        limits.max_age_seconds * 1000,
        int(listens),
    )


def publish_call(
    execution_id: str,
    publisher: str,
    batch: Batch,
    hole_after: int | None = None,
    hole_reason: str = "lost in a failover",
) -> Call:
    """Append *batch*; *hole_after* declares lost what lies between that batch number and it."""
    lost = {"reason": hole_reason, "publisher": publisher}
    return _call(
        "publish",
        execution_id,
        publisher,
        batch.number,
        batch.before,
        batch.random,
        batch.count,
        batch.flags,
        *batch.levels,
        batch.json_bytes,
        batch.stands_for,
        batch.weight,
        batch.progress,
        "" if hole_after is None else hole_after,
        "" if hole_after is None else encode(execution_id, lost, kind="lost").json[:-1],
        batch.frame,
        *batch.outline,
    )


def beat_call(
    execution_id: str, publisher: str, last_batch: int, beat: int, *, listens: bool = False
) -> Call:
    """Say that *publisher* lives and was told that *last_batch* is stored.

    *listens* says that it does something about a wish to cancel.
    """
    return _call("beat", execution_id, publisher, last_batch, beat, int(listens))


def close_call(
    execution_id: str,
    publisher: str,
    last_batch: int,
    status: str = "",
    reason: str = "",
    *,
    explicit: bool = False,
) -> Call:
    """Leave; *status* is final if *publisher* owns the execution or finishes it explicitly."""
    fields = {"status": status} | ({"reason": reason} if reason else {})
    record = encode(execution_id, fields, kind="status").json
    return _call(
        "close",
        execution_id,
        publisher,
        last_batch,
        new_random(),
        status,
        record,
        reason,
        int(explicit),
    )


def finish_call(execution_id: str) -> Call:
    """Append the `end` record, if nobody will write any more."""
    head = encode(execution_id, {"timestamp": None}, kind="end").json[:-1]
    return _call("finish", execution_id, new_random(), head)


def mark_call(execution_id: str, publisher: str, seen: str, reason: str) -> Call:
    """Call *publisher* lost ('' for the execution itself, which nobody has open).

    *seen* is its entry, or the execution's `<epoch> <seq>`: nothing happens if it is another.
    """
    return _call("mark", execution_id, publisher, seen, _reason(reason))


def give_up_call(
    execution_id: str, seen: str, publishers: Sequence[tuple[str, str]], reason: str
) -> Call:
    """Count lost *publishers* (id and entry seen) as gone; fail the execution that has none left.

    It fails only if its `<epoch> <seq>` is *seen* still.
    """
    pairs = (text for pair in publishers for text in pair)
    return _call("give_up", execution_id, seen, _reason(reason), *pairs)


def cancel_call(execution_id: str, reason: str = "") -> Call:
    """Ask the workers of *execution_id* to stop: each answer tells them, a record the viewers."""
    said = f"cancel requested: {reason}" if reason else "cancel requested"
    return _call("cancel", execution_id, _reason(said))


def delete_call(
    execution_id: str,
    *,
    force: bool,
    remembered_seconds: float,
    seen: str = "",
    publishers: Sequence[tuple[str, str]] = (),
) -> Call:
    """Remove an execution that has ended; with *force* any. It is remembered for so long.

    Nothing happens if it is not what was *seen* any more, or one of *publishers* (id and entry).
    """
    pairs = (text for pair in publishers for text in pair)
    remembered = int(remembered_seconds * 1000)
    return _call("delete", execution_id, int(force), remembered, seen, *pairs)


def note_call(execution_id: str, seen: str, json: bytes, mark: str, most: int) -> Call:
    """Keep a note as *json* has it; *seen* is the entry that it replaces, '' for a new one.

    Without *json* it is removed. *mark* says who may change it; one beyond *most* is `full`.
    """
    return _call("note", execution_id, seen, json, mark, most)


def seal_call(execution_id: str, seen: str, tag: int, archive: str) -> Call:
    """Say that all of an execution lies in the parts *archive*, if it is what was *seen* still."""
    return _call("seal", execution_id, seen, tag, archive)


def file_call(execution_id: str, epoch: int, noted: int) -> Call:
    """Say that the notes lie in the archive as they were after the change *noted*."""
    return _call("file", execution_id, epoch, noted)


def restore_call(
    execution_id: str,
    epoch: int,
    archive: str,
    hashes: Sequence[Mapping[str, str]],
    notes: Sequence[tuple[str, bytes, str]],
) -> Call:
    """Make a history known again that lies in the parts *archive*.

    *hashes* are its state, publishers and steps; *notes* are entry, JSON, and who may change it.
    """
    fields = (text for each in hashes for pair in each.items() for text in pair)
    pinned = (value for note in notes for value in note)
    return _call("restore", execution_id, epoch, archive, *map(len, hashes), *fields, *pinned)


def release_call(
    execution_id: str, seen: str, tag: int, archive: str, grace_seconds: float
) -> Call:
    """Remove the stream of an execution that was sealed so long ago and is what was *seen*."""
    return _call("release", execution_id, seen, tag, archive, int(grace_seconds * 1000))


def _reason(text: str) -> str:
    return text[:_MOST_REASON].encode("utf-8", "backslashreplace").decode()


def _call(name: str, execution_id: str, *arguments: Argument) -> Call:
    keys = ExecutionKeys.of(execution_id)
    return Call(script(name), execution_id, keys.for_scripts, (keys.live, *arguments))


def end_of(json: bytes) -> tuple[str, dict[str, object]]:
    """Read status and totals out of an `end` record."""
    record = orjson.loads(json)
    return record["status"], record["totals"]
