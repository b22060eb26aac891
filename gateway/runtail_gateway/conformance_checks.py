"""What the protocol promises, each as a check of its own against a running gateway."""

from __future__ import annotations

import json
import urllib.request
from collections.abc import Callable
from dataclasses import dataclass
from itertools import pairwise
from typing import Any
from urllib.parse import quote

from runtail_broker.cursor import Cursor, RecordId
from runtail_gateway.conformance_client import Broken, Run, Target, expect


@dataclass(frozen=True, slots=True)
class Check:
    """One check; *promise* is its number in the README, 0 for the rest of the protocol."""

    promise: int
    name: str
    run: Callable[[Target], None]


def lines_of(records: list[dict[str, Any]]) -> list[str]:
    """The messages of the lines that the suite published."""
    return [r["message"] for r in records if str(r.get("message", "")).startswith("line ")]


def _lines(count: int) -> list[str]:
    return [f"line {number}" for number in range(count)]


def _filled(target: Target, batches: int = 4, count: int = 3) -> Run:
    run = target.begin()
    for _ in range(batches):
        run.publish(count)
    return run


def order(target: Target) -> None:
    """Seqs follow one another from 1, ids rise."""
    run = _filled(target)
    with run.watch() as watching:
        watching.to_the_head()
        records = watching.records
    expect([r["seq"] for r in records], list(range(1, len(records) + 1)), "seqs")
    ids = [RecordId.parse(record["id"]) for record in records]
    if any(after <= before for before, after in pairwise(ids)):
        raise Broken(f"ids do not rise: {[str(each) for each in ids]}")
    expect(lines_of(records), _lines(run.said), "lines")


def live(target: Target) -> None:
    """What is published while somebody watches comes, in order, without a reconnect."""
    run = target.begin()
    with run.watch() as watching:
        watching.to_the_head()
        for _ in range(5):
            run.publish(2)
        watching.until(lambda: len(lines_of(watching.records)) >= run.said, "all lines came")
        expect(lines_of(watching.records), _lines(run.said), "lines")


def resume(target: Target) -> None:
    """Whoever comes back with any cursor gets exactly what comes after it."""
    run = _filled(target)
    everything = run.records()["records"]
    for cursor in run.cursors:
        place = Cursor.parse(cursor)
        with run.watch(f"after={quote(cursor)}") as watching:
            watching.to_the_head()
            rest = [r for r in everything if r["seq"] > place.number]
            expect(watching.records, rest, f"records after {cursor}")
            expect(watching.of("reset") + watching.of("gap"), [], f"notices after {cursor}")


def resume_by_id(target: Target) -> None:
    """A bare record id is a place too, in the middle of a batch as well."""
    run = _filled(target)
    everything = run.records()["records"]
    for at, record in enumerate(everything):
        page = run.records(f"after={record['id']}")
        expect(page["records"], everything[at + 1 :], f"records after the id {record['id']}")


def foreign_cursor(target: Target) -> None:
    """A cursor of another history is not believed: a reset, and all from the start."""
    run = _filled(target)
    place = Cursor.parse(run.cursors[1])
    forged = Cursor(place.id, place.seq, ((place.tag or 0) + 1) % 2**32)
    with run.watch(f"after={quote(str(forged))}") as watching:
        watching.to_the_head()
        kinds = [message["type"] for message in watching.messages[:3]]
        expect(kinds, ["hello", "reset", "records"], "what came for a forged cursor")
        expect(Cursor.parse(watching.of("reset")[0]["cursor"]).seq, 0, "the reset leads to seq")
        expect(watching.seqs, list(range(1, len(watching.seqs) + 1)), "seqs")


def older_cursor(target: Target) -> None:
    """Of several cursors the newest that can be proved counts."""
    run = _filled(target)
    newest, older = Cursor.parse(run.cursors[2]), run.cursors[1]
    forged = Cursor(newest.id, newest.seq, ((newest.tag or 0) + 1) % 2**32)
    with run.watch(f"after={quote(str(forged))}&after={quote(older)}") as watching:
        watching.to_the_head()
        expect([m["cursor"] for m in watching.of("reset")], [older], "the reset leads to")
        expect(watching.seqs[:1], [Cursor.parse(older).number + 1], "the first record after it")


def only_new(target: Target) -> None:
    """`after=$` sends nothing of what is there, `tail=N` the last N."""
    run = _filled(target)
    total = len(run.records()["records"])
    for query, wanted in (("after=$", 0), ("tail=2", 2)):
        with run.watch(query) as watching:
            watching.to_the_head()
            expect(watching.seqs, list(range(total - wanted + 1, total + 1)), f"seqs by {query}")


def repeated_batch(target: Target) -> None:
    """A batch that comes again is a duplicate, and stored once."""
    run = _filled(target, batches=2)
    answer = run.send(run.batch, run.said - 3, 3)
    expect((answer.status, answer.body.get("word")), (200, "duplicate"), "a repeated batch")
    expect(lines_of(run.records()["records"]), _lines(run.said), "lines")


def missing_batch(target: Target) -> None:
    """A batch whose predecessor is missing is refused, and nothing of it is stored."""
    run = _filled(target, batches=2)
    answer = run.send(run.batch + 2, run.said + 3)
    expect((answer.status, answer.body.get("word")), (409, "behind"), "a batch too early")
    expect(answer.body["last_batch"], run.batch, "last_batch")
    expect(lines_of(run.records()["records"]), _lines(run.said), "lines")


def told_hole(target: Target) -> None:
    """A hole that is declared becomes a `lost` record with the exact number."""
    run = _filled(target, batches=1)
    query = f"publisher={run.publisher}&batch=3&before={run.said + 4}&hole_after=1"
    answer = target.ask(f"/executions/{run.id}/logs?{query}", [{"message": "after the hole"}])
    expect((answer.status, answer.body.get("word")), (200, "stored"), "a batch behind a hole")
    lost = [r["lost"] for r in run.records()["records"] if r.get("kind") == "lost"]
    expect(lost, [4], "lost records tell")


def readable(target: Target) -> None:
    """What was acknowledged can be read at once."""
    run = target.begin()
    for _ in range(5):
        run.publish(2)
        expect(lines_of(run.records()["records"]), _lines(run.said), "lines right after the answer")


def every_way(target: Target) -> None:
    """WebSocket, Server-Sent Events and pages tell the same records."""
    run = _filled(target)
    run.finish()
    with run.watch() as watching:
        watching.to_the_close()
    address = f"{target.url}/executions/{run.id}/events"
    with urllib.request.urlopen(urllib.request.Request(address, headers=target.headers)) as reply:
        events = _events(reply.read().decode())
    streamed = [r for e in events if e.get("type") == "records" for r in e["records"]]
    expect(streamed, watching.records, "Server-Sent Events against the WebSocket")
    expect(run.records()["records"], watching.records, "pages against the WebSocket")


def _events(text: str) -> list[dict[str, Any]]:
    blocks = [block.splitlines() for block in text.replace("\r\n", "\n").split("\n\n")]
    datas = ["\n".join(row[5:].strip() for row in b if row.startswith("data:")) for b in blocks]
    return [json.loads(data) for data in datas if data]


def honest_end(target: Target) -> None:
    """The end comes last, with totals that prove that everything came, then close 1000."""
    run = _filled(target)
    with run.watch() as early:
        early.to_the_head()
        run.finish()
        early.to_the_close()
    with run.watch() as late:
        late.to_the_close()
    for watching in (early, late):
        last = watching.messages[-1]
        expect((last["type"], watching.close_code), ("end", 1000), "the last message, the close")
        totals = last["totals"]
        numbers = (totals["first"], totals["last"], totals["records"])
        expect(numbers, (1, watching.seqs[-1], len(watching.seqs)), "first, last, records")
        expect(totals["levels"]["info"], run.said, "logs of level info")
        expect(last["status"], "completed", "the status")


def finished_for_ever(target: Target) -> None:
    """A finished id is never opened again; the answer names the next one."""
    run = _filled(target, batches=1)
    run.finish()
    answer = target.ask(f"/executions/{run.id}/open", {"publisher": "another"})
    expect((answer.status, answer.body.get("next_id")), (409, f"{run.id}.2"), "opening it again")


def clear_errors(target: Target) -> None:
    """Nonsense is answered by a problem that names its code; over WebSockets by a final close."""
    run = _filled(target, batches=1)
    answer = target.ask(f"/executions/{run.id}/logs?after=nonsense")
    told = (answer.status, answer.kind, answer.body["code"])
    expect(told, (400, "application/problem+json", "bad_cursor"), "a cursor that is none")
    with run.watch("after=nonsense") as watching:
        watching.to_the_close()
        expect([m.get("code") for m in watching.of("error")], ["bad_cursor"], "the error")
        expect(watching.close_code, 4400, "the close")
    answer = target.ask(f"/executions/{run.id}-nobody/logs")
    expect((answer.status, answer.body["code"]), (404, "not_found"), "what does not exist")


CHECKS = (
    Check(1, "records come in order", order),
    Check(2, "whoever resumes gets exactly what follows", resume),
    Check(2, "a record id is a place too", resume_by_id),
    Check(2, "a cursor of another history is not believed", foreign_cursor),
    Check(2, "an older cursor counts where the newest cannot be proved", older_cursor),
    Check(2, "a hole that is declared is told with its number", told_hole),
    Check(3, "a repeated batch is stored once", repeated_batch),
    Check(3, "a batch before its predecessor is refused", missing_batch),
    Check(4, "what is acknowledged can be read", readable),
    Check(4, "what is published comes live", live),
    Check(7, "all ways to read tell the same", every_way),
    Check(8, "the end proves itself", honest_end),
    Check(8, "a finished id is finished for ever", finished_for_ever),
    Check(0, "only what is new, or the last ones", only_new),
    Check(0, "errors are clear, and final where they should be", clear_errors),
)
