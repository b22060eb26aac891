"""Calling a publisher lost is a guess: made by compare-and-set, undone by whatever it says."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from tests.broker.executions import PUBLISHER, Execution

from runtail_broker.connections.client import Nodes
from runtail_broker.executions import Executions, Look
from runtail_broker.script import Answer, cancel_call, give_up_call, mark_call

SILENT = "worker lost: silent for 15 s"
AGAIN = "the worker speaks again"


class Guessed(Execution):
    """An execution, and the guesses that a gateway makes about it."""

    async def look(self) -> Look:
        (look,) = await Executions(self.nodes).looks([self.id])
        return look

    async def entry(self, publisher: str = PUBLISHER) -> str:
        found = await Executions(self.nodes).publishers(self.id)
        return {p.id: p.entry for p in found}[publisher]

    async def mark(self, publisher: str = PUBLISHER, seen: str = "") -> Answer:
        seen = seen or (await self.entry(publisher) if publisher else (await self.look()).seen)
        return await self.nodes.run(mark_call(self.id, publisher, seen, SILENT))

    async def give_up(self, seen: str = "") -> Answer:
        """Give up everybody that is marked, as if it had been so for the whole window."""
        look = await self.look()
        gone = [(p.id, p.entry) for p in look.publishers if p.lost and p.open]
        return await self.nodes.run(give_up_call(self.id, seen or look.seen, gone, "worker lost"))

    async def fail(self) -> None:
        """Call it lost, then failed, then end it."""
        assert (await self.mark()).word == "marked"
        assert (await self.give_up()).word == "failed"
        assert (await self.finish()).word == "ended"

    async def cancel(self, reason: str = "") -> Answer:
        return await self.nodes.run(cancel_call(self.id, reason))

    async def statuses(self) -> list[tuple[object, object]]:
        """Each status record's status and reason, but the first one's."""
        told = [r for r in await self.records() if r.get("kind") == "status"]
        return [(r["status"], r.get("reason")) for r in told][1:]


@pytest.fixture
async def execution(nodes: Nodes, execution_id: str) -> Guessed:
    execution = Guessed(nodes, execution_id)
    await execution.open()
    return execution


async def counts(execution: Guessed) -> tuple[str, int, int]:
    look = await execution.look()
    return look.status, look.open, look.lost


async def test_marking_the_only_publisher_makes_the_execution_lost_and_says_so(
    execution: Guessed,
) -> None:
    assert (await execution.mark()).word == "marked"
    record = (await execution.records())[-1]
    assert (record["kind"], record["status"], record["reason"]) == ("status", "lost", SILENT)
    assert (record["publisher"], record["execution_id"]) == (PUBLISHER, execution.id)
    assert await counts(execution) == ("lost", 1, 1)
    assert (await execution.state())["reason"] == SILENT


async def test_the_time_of_a_mark_is_the_engines_own(execution: Guessed) -> None:
    await execution.mark()
    told = datetime.fromisoformat(str((await execution.records())[-1]["timestamp"]))
    assert abs(datetime.now(UTC) - told) < timedelta(minutes=1)


@pytest.mark.parametrize("speak", ["beat", "publish", "reopen"])
async def test_a_publisher_that_spoke_since_it_was_seen_is_not_marked(
    execution: Guessed, speak: str
) -> None:
    seen = await execution.entry()
    await say(execution, speak)
    assert (await execution.mark(seen=seen)).word == "changed"
    assert await counts(execution) == ("running", 1, 0)


async def test_two_gateways_never_mark_twice(execution: Guessed) -> None:
    seen = await execution.entry()
    assert (await execution.mark(seen=seen)).word == "marked"
    assert (await execution.mark(seen=seen)).word == "changed"
    assert (await execution.mark()).word == "changed"
    assert await execution.statuses() == [("lost", SILENT)]


async def test_a_lost_participant_is_only_a_record_while_the_owner_lives(
    execution: Guessed,
) -> None:
    await execution.open("p2", "participant")
    assert (await execution.mark("p2")).word == "marked"
    assert await execution.statuses() == [("running", SILENT)]
    assert await counts(execution) == ("running", 2, 1)


async def test_it_is_lost_when_the_last_healthy_publisher_is(execution: Guessed) -> None:
    await execution.open("p2", "participant")
    await execution.mark()
    await execution.mark("p2")
    assert [status for status, _ in await execution.statuses()] == ["running", "lost"]


async def say(execution: Guessed, what: str, publisher: str = PUBLISHER) -> Answer:
    match what:
        case "beat":
            return await execution.beat(0, publisher, beat=77)
        case "publish":
            return await execution.publish("x", publisher=publisher)
        case _:
            await later(execution)
            return await execution.open(publisher)


async def later(execution: Guessed) -> None:
    """Let a millisecond of the engine's clock pass."""

    async def now() -> tuple[int, int]:
        seconds, micros = await execution.nodes.at(execution.keys.state, lambda n: n.time())
        return int(seconds), int(micros) // 1000

    begun = await now()
    while await now() == begun:
        pass


@pytest.mark.parametrize("speak", ["beat", "publish", "reopen"])
async def test_whatever_a_marked_publisher_says_undoes_the_mark(
    execution: Guessed, speak: str
) -> None:
    await execution.mark()
    answer = await say(execution, speak)
    assert answer.status == "running"
    assert await execution.statuses() == [("lost", SILENT), ("running", AGAIN)]
    assert await counts(execution) == ("running", 1, 0)
    assert (await execution.state())["reason"] == ""


async def test_the_mark_is_undone_before_the_batch_that_undoes_it(execution: Guessed) -> None:
    await execution.mark()
    await execution.publish("x")
    assert [r.get("reason", r.get("message")) for r in (await execution.records())[-2:]] == [
        AGAIN,
        "x",
    ]


async def test_a_beat_that_comes_twice_says_nothing(execution: Guessed) -> None:
    await execution.beat(0, beat=5)
    await execution.mark()
    assert (await execution.beat(0, beat=5)).status == "lost"
    assert (await execution.beat(0, beat=6)).status == "running"


async def test_a_batch_that_comes_twice_says_nothing(execution: Guessed) -> None:
    batch = await execution.skip("x")
    await execution.send(batch)
    await execution.mark()
    assert (await execution.send(batch)).status == "lost"


async def test_what_another_publisher_says_undoes_no_mark(execution: Guessed) -> None:
    await execution.open("p2", "participant")
    await execution.mark()
    await execution.publish("x", publisher="p2")
    assert await counts(execution) == ("running", 2, 1)


async def test_the_chain_of_tags_holds_over_marks(execution: Guessed) -> None:
    await execution.mark()
    await execution.publish("x")
    await execution.cancel("enough")
    entries = await execution.entries()
    assert [e.before for e in entries[1:]] == [e.end.tag for e in entries[:-1]]


async def test_an_execution_that_nobody_has_open_is_marked(execution: Guessed) -> None:
    await execution.close()
    assert (await execution.mark("")).word == "marked"
    record = (await execution.records())[-1]
    assert (record["status"], "publisher" in record) == ("lost", False)
    assert (await execution.mark("")).word == "changed"


async def test_an_execution_that_somebody_has_open_is_no_orphan(execution: Guessed) -> None:
    assert (await execution.mark("")).word == "changed"


async def test_an_orphan_that_got_a_record_since_it_was_seen_is_not_marked(
    execution: Guessed,
) -> None:
    await execution.close()
    seen = (await execution.look()).seen
    await execution.publish("late")
    assert (await execution.mark("", seen)).word == "changed"


@pytest.mark.parametrize("publisher", [PUBLISHER, "p2"])
async def test_an_orphan_runs_again_when_somebody_opens_it(
    execution: Guessed, publisher: str
) -> None:
    await execution.close()
    await execution.mark("")
    assert (await execution.open(publisher)).status == "running"
    assert (await execution.statuses())[-1] == ("running", AGAIN)


async def test_a_final_status_is_never_called_lost(execution: Guessed) -> None:
    await execution.open("p2", "participant")
    await execution.close("completed")
    assert (await execution.mark("p2")).word == "marked"
    assert (await execution.mark("")).word == "changed"
    assert (await execution.statuses())[-1] == ("completed", SILENT)
    assert (await execution.beat(0, "p2", beat=3)).status == "completed"
    assert await counts(execution) == ("completed", 1, 0)


async def test_an_ended_execution_is_not_touched(execution: Guessed) -> None:
    await execution.close("completed")
    await execution.finish()
    await execution.open("p2", "participant")
    assert (await execution.mark("p2")).word == "changed"
    assert len(await execution.records()) == 3


async def test_after_the_window_it_has_failed_and_ends(execution: Guessed) -> None:
    await execution.fail()
    assert await execution.statuses() == [("lost", SILENT), ("failed", "worker lost")]
    state = await execution.state()
    assert (state["status"], state["open"], state["guess"]) == ("failed", "0", "1")
    assert int(state["ended_at"]) > 0
    assert (await execution.records())[-1]["kind"] == "end"


async def test_who_spoke_within_the_window_is_not_given_up(execution: Guessed) -> None:
    await execution.mark()
    look = await execution.look()
    seen = [(p.id, p.entry) for p in look.publishers]
    await execution.beat(0, beat=9)
    await execution.mark()  # and fell silent again
    call = give_up_call(execution.id, look.seen, seen, "worker lost")
    assert (await execution.nodes.run(call)).word == "left"
    assert await counts(execution) == ("lost", 1, 1)


async def test_an_orphan_that_got_a_record_within_the_window_has_not_failed(
    execution: Guessed,
) -> None:
    await execution.close()
    await execution.mark("")
    seen = (await execution.look()).seen
    await execution.publish("late")
    assert (await execution.give_up(seen)).word == "left"
    assert (await execution.give_up()).word == "failed"


async def test_a_participant_given_up_stops_no_end_and_fails_nothing(execution: Guessed) -> None:
    await execution.open("p2", "participant")
    await execution.mark("p2")
    assert (await execution.give_up()).word == "left"
    assert await counts(execution) == ("running", 1, 0)
    await execution.close("completed")
    assert (await execution.finish()).word == "ended"


async def test_the_owners_late_word_overrules_the_guess_and_ends_it_anew(
    execution: Guessed,
) -> None:
    await execution.fail()
    assert (await execution.close("completed")).status == "completed"
    assert (await execution.finish()).word == "ended"
    state = await execution.state()
    assert (state["status"], state["guess"], state["open"]) == ("completed", "", "0")
    kinds = [r["kind"] for r in await execution.records()]
    assert kinds == ["status", "status", "status", "end", "status", "end"]


async def test_a_participants_leaving_does_not_overrule_the_guess(execution: Guessed) -> None:
    await execution.open("p2", "participant")
    await execution.mark("p2")
    await execution.fail()
    assert (await execution.close("completed", "p2")).status == "failed"


async def test_an_owner_marked_lost_may_leave_as_if_it_had_not_been(execution: Guessed) -> None:
    await execution.mark()
    assert (await execution.close("completed")).status == "completed"
    assert await counts(execution) == ("completed", 0, 0)
    assert (await execution.finish()).word == "ended"


async def test_the_owners_word_is_not_overruled_again(execution: Guessed) -> None:
    await execution.fail()
    await execution.close("completed")
    await execution.open("p2", "participant")
    assert (await execution.close("failed", "p2", explicit=True)).status == "completed"


async def test_a_worker_that_thaws_after_the_guessed_end_runs_again_until_it_leaves(
    execution: Guessed,
) -> None:
    await execution.fail()
    assert (await execution.publish("still here")).status == "running"
    assert await counts(execution) == ("running", 1, 0)
    state = await execution.state()
    assert (state["end"], state["guess"], state["ended_at"]) == ("", "", "0")
    await execution.close("completed")
    assert (await execution.finish()).word == "ended"


async def test_no_later_beat_changes_the_end_that_the_owner_reported(execution: Guessed) -> None:
    await execution.open("p2", "participant")
    await execution.close("completed")
    await execution.mark("p2")
    await execution.give_up()
    await execution.finish()
    before = await execution.state()
    assert (await execution.beat(0, "p2", beat=8)).status == "completed"
    assert await execution.state() == before


async def test_a_late_batch_of_one_given_up_is_stored_behind_the_owners_end(
    execution: Guessed,
) -> None:
    await execution.open("p2", "participant")
    await execution.close("completed")
    await execution.mark("p2")
    await execution.give_up()
    await execution.finish()
    assert (await execution.publish("late", publisher="p2")).status == "completed"
    assert (await execution.finish()).word == "ended"


async def test_a_stream_that_lost_its_state_counts_marked_publishers(execution: Guessed) -> None:
    await execution.open("p2", "participant")
    await execution.mark("p2")
    await execution.remove(execution.keys.state)
    await execution.open()
    assert await counts(execution) == ("running", 2, 1)


async def test_a_cancel_request_is_told_once_and_carried_by_every_answer(
    execution: Guessed,
) -> None:
    assert (await execution.cancel('says "Ü"\n')).word == "requested"
    assert (await execution.cancel()).word == "already"
    assert await execution.statuses() == [("running", 'cancel requested: says "Ü"\n')]
    assert (await execution.beat(0)).cancel


async def test_cancelling_what_is_over_or_unknown_changes_nothing(execution: Guessed) -> None:
    await execution.close("completed")
    assert (await execution.cancel()).word == "over"
    assert (await Guessed(execution.nodes, "nothing").cancel()).word == "unknown"
    assert not (await execution.look()).lost
    assert len(await execution.records()) == 2


async def test_guessing_about_nothing_is_unknown(nodes: Nodes, execution_id: str) -> None:
    for call in (mark_call(execution_id, "p", "", ""), give_up_call(execution_id, "", [], "")):
        assert (await nodes.run(call)).word == "unknown"
