"""The checker: what is right is called right, and each promise has something that breaks it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from tests.faults.checker import judge
from tests.faults.schedule import Op, schedule, shortened
from tests.faults.witness import ViewerWord, Witness, WorkerWord

from runtail.delivery.buffer import Counters
from runtail.watching.viewer_event import Gap, Records, Reset
from runtail_broker.cursor import Cursor, RecordId


def cursor(seq: int) -> str:
    return str(Cursor(RecordId(1, seq), seq, 7))


def record(seq: int) -> dict[str, Any]:
    return {"seq": seq, "id": f"1-{seq}", "level": "info", "message": f"w {seq - 1} x"}


def records(*seqs: int) -> dict[str, Any]:
    return {
        "type": "records",
        "records": [record(seq) for seq in seqs],
        "cursor": cursor(seqs[-1]),
    }


END = {"seq": 5, "id": "1-5", "kind": "end"}
TOTALS: dict[str, Any] = {"last": 5, "records": 5, "levels": {"info": 4, "error": 0}}
TOLD_END: dict[str, Any] = {"type": "end", "totals": TOTALS}
HELLO = {"type": "hello", "cursor": "0-0:0:00000007"}
LAST = {"type": "records", "records": [END], "cursor": cursor(5)}


def connect(*after: str) -> dict[str, Any]:
    return {"type": "connect", "after": list(after)}


def good() -> Witness:
    """Four lines and the end, watched over two connections."""
    stored = [*map(record, range(1, 5)), END]
    heard = [connect(), HELLO, records(1, 2), connect(cursor(2)), HELLO | {"cursor": cursor(2)}]
    heard += [records(3, 4), LAST, TOLD_END]
    shown = [Records([record(1), record(2)]), Records([record(3), record(4), END])]
    worker = WorkerWord("w", said=4, acknowledged=4, counters=Counters(accepted=4, stored=4))
    viewer = ViewerWord("v", heard, [*shown])
    return Witness(stored, [worker], [viewer], {"gateway": stored})


def test_what_is_right_is_called_right() -> None:
    """A log that was watched to its end, with a reconnect."""
    assert judge(good()) == []


def heard(*messages: dict[str, Any]) -> Callable[[Witness], None]:
    """Let the wire carry these in place of all after the hello."""

    def change(witness: Witness) -> None:
        witness.viewers[0].heard[2:] = messages

    return change


def stored(*seqs: int) -> Callable[[Witness], None]:
    """Let the engine hold these lines, numbered anew."""

    def change(witness: Witness) -> None:
        lines = [
            record(at + 1) | {"message": record(seq)["message"]} for at, seq in enumerate(seqs)
        ]
        witness.stored, witness.viewers, witness.pages = lines, [], {}

    return change


def with_worker(**changes: Any) -> Callable[[Witness], None]:
    def change(witness: Witness) -> None:
        witness.workers = [replace(witness.workers[0], **changes)]

    return change


def with_witness(**changes: Any) -> Callable[[Witness], None]:
    def change(witness: Witness) -> None:
        for name, value in changes.items():
            setattr(witness, name, value)

    return change


def shown(*events: Any) -> Callable[[Witness], None]:
    def change(witness: Witness) -> None:
        witness.viewers[0].shown[:] = events

    return change


GAP = {"type": "gap", "after_seq": 2, "before_seq": 4, "lost": 1, "proved": True}
BROKEN = [
    (1, stored(1, 3, 2, 4)),
    (1, heard(records(1, 2, 3), GAP | {"after_seq": 3, "before_seq": 5}, records(4), LAST)),
    (2, heard(records(1, 2), records(4), LAST, TOLD_END)),
    (2, heard(records(1, 2), GAP | {"cursor": cursor(3), "lost": 2}, records(4), LAST, TOLD_END)),
    (2, heard(records(1, 2), {"type": "caught_up", "cursor": cursor(3)})),
    (2, heard(records(1, 2), {"type": "reset", "cursor": cursor(3)})),
    (2, heard(records(1, 2, 3, 4))),
    (2, shown(Records([record(1), record(2), record(4), END]))),
    (2, shown(Records([record(1), record(2)]), Reset(1, ""), Records([record(3), record(4), END]))),
    (2, shown(Records([record(1)]), Gap(1, 4, 1, ""), Records([record(4), END]))),
    (2, shown(Records([record(1) | {"message": "w 9 x"}, *map(record, (2, 3, 4)), END]))),
    (3, heard(records(1, 2), records(2, 3, 4), LAST, TOLD_END)),
    (3, stored(1, 2, 2, 3, 4)),
    (4, stored(1, 2, 4)),
    (4, stored(1, 2, 3)),
    (4, with_worker(unreadable="line 3")),
    (5, with_worker(error="ValueError()")),
    (5, with_worker(slowest_seconds=2.0)),
    (5, with_worker(counters=Counters(accepted=4, stored=3))),
    (6, with_witness(most_waiting_bytes=2, allowed_bytes=1)),
    (7, with_witness(pages={"gateway": []})),
    (8, with_witness(unsettled="the end")),
    (8, heard(records(1, 2, 3, 4), LAST)),
    (8, heard(records(1, 2, 3, 4), LAST, TOLD_END, records(5))),
    (8, heard(records(1, 2, 3, 4), LAST, TOLD_END | {"totals": TOTALS | {"last": 4}})),
    (
        8,
        heard(records(1, 2, 3, 4), LAST, TOLD_END | {"totals": TOTALS | {"levels": {}}}),
    ),
]


@pytest.mark.parametrize(("promise", "change"), BROKEN)
def test_what_breaks_a_promise_is_called_by_its_number(
    promise: int, change: Callable[[Witness], None]
) -> None:
    """Every promise, each way in which it is judged."""
    witness = good()
    change(witness)
    assert promise in {violation.promise for violation in judge(witness)}


def test_a_gap_that_was_told_is_no_violation() -> None:
    """What was trimmed and told is counted as received."""
    witness = good()
    gap = GAP | {"cursor": cursor(3)}
    witness.viewers[0].heard[2:] = [records(1, 2), gap, records(4), LAST, TOLD_END]
    witness.viewers[0].shown[:] = [
        Records([record(1), record(2)]),
        Gap(2, 4, 1, "trimmed"),
        Records([record(4), END]),
    ]
    assert judge(witness) == []


def test_a_viewer_that_left_with_an_end_is_judged_by_what_was_stored_then() -> None:
    """The engine lost that end afterwards: what it holds now has nothing to do with that viewer."""
    witness = good()
    then = witness.stored
    witness.stored = [record(1) | {"id": "9-9"}]
    witness.pages = {}
    assert judge(witness) != []
    witness.viewers[0].left_with = then
    assert [each for each in judge(witness) if each.who.startswith("v")] == []
    witness.viewers[0].left_with = then[:-1]
    assert [each for each in judge(witness) if each.who.startswith("v")] != []


def test_lines_that_a_loss_record_counts_are_no_violation() -> None:
    """A worker that had to drop tells how many, at their place."""
    witness = good()
    lost = {"seq": 2, "id": "1-2", "kind": "lost", "lost": 3, "publisher": "w"}
    witness.stored, witness.viewers = [record(1), lost], []
    witness.pages = {}
    assert judge(witness) == []


def test_a_seed_names_one_schedule_and_an_operation_can_be_written_down() -> None:
    """What a failure prints can be replayed."""
    ops = schedule(7, 30)
    assert schedule(7, 30) == ops != schedule(8, 30)
    assert [Op.parse(str(op)) for op in ops] == ops
    with pytest.raises(ValueError, match="nonsense:1"):
        Op.parse("nonsense:1")


async def test_a_schedule_is_shortened_to_what_breaks_it() -> None:
    """Of a hundred operations the two that matter are left."""
    ops = [Op("say", number) for number in range(100)]

    async def breaks(some: Any) -> bool:
        return {13, 77} <= {op.pick for op in some}

    short = await shortened(ops, breaks, tries=200)
    assert [op.pick for op in short] == [13, 77]
