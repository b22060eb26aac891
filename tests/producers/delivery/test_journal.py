"""The publisher's side of the protocol, against answers as the scripts give them."""

from __future__ import annotations

from dataclasses import replace

import orjson
import pytest

from runtail.delivery.ask import Ask, Leave, Role
from runtail.delivery.held import Held
from runtail.delivery.journal import Journal
from runtail.delivery.pending import Progress
from runtail.settings import PublisherSettings
from runtail_broker.cursor import START
from runtail_broker.records.frame import decode_frame
from runtail_broker.records.record import encode
from runtail_broker.script import Answer, Batch, Limits

ID = "exec-1"
SETTINGS = PublisherSettings(max_call_batches=3)
PLACE_OF_HOLE = 16  # among the arguments of publish.lua, the channel counted as the first


def said(word: str, last: int = 0, *, cancel: bool = False) -> Answer:
    return Answer(word, last, START, cancel, "running", 7)


def opened(role: Role = "owner", held: Held | None = None) -> Journal:
    journal = Journal("p", ID, role, held=held, settings=SETTINGS)
    (ask,) = journal.asks(0.0, Limits())
    journal.answered(ask, said("created"), 0.0)
    return journal


def batch(journal: Journal, *messages: str) -> None:
    """Add *messages* and seal them as one batch."""
    for message in messages:
        journal.pending.add(encode(ID, {"message": message}))
    journal.seal(journal.pending.take(1000, 1 << 20))


def asks(journal: Journal, now: float = 0.0) -> list[Ask]:
    return journal.asks(now, Limits())


def publish(journal: Journal, *messages: str, now: float = 0.0) -> None:
    """Publish *messages* as one batch that is stored."""
    batch(journal, *messages)
    (ask,) = asks(journal, now)
    journal.answered(ask, said("stored", ask.number), now)


def kinds(journal: Journal, now: float = 0.0) -> list[tuple[str, int]]:
    return [(ask.kind, ask.number) for ask in asks(journal, now)]


def hole_of(ask: Ask) -> object:
    return ask.call.arguments[PLACE_OF_HOLE - 1]


def records_of(ask: Ask) -> list[dict[str, object]]:
    frame = ask.call.arguments[17]
    assert isinstance(frame, bytes)
    return [orjson.loads(json) for json in decode_frame(frame)]


def test_nothing_is_sent_before_the_opening_is_answered() -> None:
    journal = Journal("p", ID)
    journal.pending.add(encode(ID, {"message": "early"}))
    assert not journal.takes_items
    assert kinds(journal) == [("open", 0)]


def test_a_batch_whose_answer_is_lost_is_sent_again_as_it_was() -> None:
    journal = opened()
    batch(journal, "a", "b")
    (first,) = asks(journal)
    batch(journal, "c")
    again, newer = asks(journal)
    assert again.call == first.call
    assert [r["message"] for r in records_of(newer)] == ["c"]
    assert journal.retried == 1


def test_each_batch_carries_how_many_records_were_sent_before_it() -> None:
    journal = opened()
    batch(journal, "a", "b")
    batch(journal, "c")
    _, second = asks(journal)
    assert second.call.arguments[2:4] == (2, 2)


def test_no_more_batches_travel_at_once_than_the_setting_allows() -> None:
    journal = opened()
    for message in "abc":
        batch(journal, message)
    journal.pending.add(encode(ID, {"message": "d"}))
    assert not journal.takes_items
    assert kinds(journal) == [("publish", 1), ("publish", 2), ("publish", 3)]


def test_a_duplicate_counts_as_stored_and_a_batch_is_told_stored_once() -> None:
    journal = opened()
    batch(journal, "a")
    (ask,) = asks(journal)
    (sealed,) = journal.answered(ask, said("duplicate", 1), 0.0)
    assert sealed.records == 1
    journal.answered(ask, said("behind", 0), 0.0)
    (again,) = asks(journal)
    assert journal.answered(again, said("stored", 1), 0.0) == []


def test_behind_sends_again_what_is_held_before_anything_new() -> None:
    journal = opened()
    for message in "abc":
        publish(journal, message)
    batch(journal, "d")
    (ask,) = asks(journal)
    journal.answered(ask, said("behind", 1), 0.0)
    assert kinds(journal) == [("publish", 2), ("publish", 3), ("publish", 4)]
    assert [hole_of(ask) for ask in asks(journal)] == ["", "", ""]


def test_behind_for_several_batches_of_one_round_goes_back_once() -> None:
    journal = opened()
    publish(journal, "a")
    batch(journal, "b")
    batch(journal, "c")
    for ask in asks(journal):
        journal.answered(ask, said("behind", 0), 0.0)
    assert kinds(journal) == [("publish", 1), ("publish", 2), ("publish", 3)]


def test_what_is_held_no_more_is_declared_by_the_next_batch() -> None:
    journal = opened(held=Held(1, 30.0))
    publish(journal, "a")
    publish(journal, "b")
    batch(journal, "c")
    (ask,) = asks(journal)
    assert hole_of(ask) == ""
    journal.answered(ask, said("behind", 0), 0.0)
    (ask,) = asks(journal)
    assert (ask.number, hole_of(ask)) == (3, 0)


def test_a_hole_is_declared_at_once_by_a_publisher_that_has_nothing_to_send() -> None:
    journal = opened(held=Held(1, 30.0))
    publish(journal, "a")
    (beat,) = asks(journal, 5.0)
    journal.answered(beat, said("behind", 0), 5.0)
    ask, _beat = asks(journal, 5.0)
    assert (ask.number, hole_of(ask)) == (2, 0)
    assert [r["level"] for r in records_of(ask)] == ["warning"]


def test_records_that_tell_of_others_do_not_count_and_what_they_tell_of_does() -> None:
    """A hole is counted by these numbers: what was dropped in it is missing with the rest."""
    journal = opened()
    for message in "abc":
        journal.pending.add(encode(ID, {"message": message}))
    for serial in (1, 2):
        journal.pending.drop(serial)
    journal.seal(journal.pending.take(1000, 1 << 20))  # a `lost` record, and c
    batch(journal, "d")
    assert [befores(ask) for ask in asks(journal)] == [(0, 3), (3, 1)]


def test_the_note_that_declares_a_hole_counts_as_no_record() -> None:
    """Lost itself, it leaves no other hole behind."""
    journal = opened(held=Held(1, 1.0))
    publish(journal, "a")
    (beat,) = asks(journal, 5.0)
    journal.answered(beat, said("behind", 0), 5.0)
    note, _beat = asks(journal, 5.0)
    assert (hole_of(note), befores(note)) == (0, (1, 0))


def befores(ask: Ask) -> tuple[object, object]:
    """What the batches before it stand for, and this one."""
    return ask.call.arguments[3], ask.call.arguments[13]


@pytest.mark.parametrize(
    ("kind", "answer"), [("beat", said("behind", 0)), ("beat", said("unopened"))]
)
def test_an_engine_that_forgot_something_may_have_forgotten_others_too(
    kind: str, answer: Answer
) -> None:
    """This worker leaves the end to a gateway, as after any change of primary."""
    journal = opened()
    journal.primary = "here"
    publish(journal, "a")
    (ask,) = asks(journal, 5.0)
    assert ask.kind == kind
    journal.answered(ask, answer, 5.0)
    assert journal.primary != "here"


def test_an_engine_that_forgot_nothing_is_still_the_one_that_took_the_opening() -> None:
    """Not even one that is behind because a batch got lost on its way to it."""
    journal = opened()
    journal.primary = "here"
    batch(journal, "a")
    batch(journal, "b")
    first, second = asks(journal)
    journal.answered(second, said("behind", 0), 0.0)
    journal.answered(first, said("stored", 1), 0.0)
    assert journal.primary == "here"


def test_a_beat_is_due_after_the_time_set_and_names_what_was_acknowledged() -> None:
    journal = opened()
    publish(journal, "a", now=1.0)
    assert asks(journal, 4.9) == []
    (beat,) = asks(journal, 5.0)
    assert (beat.kind, beat.call.arguments[2:]) == ("beat", (1, 1, 0))
    journal.answered(beat, said("alive", 1), 5.0)
    assert asks(journal, 9.9) == []


def test_a_beat_that_is_answered_behind_sends_again_what_is_held() -> None:
    journal = opened()
    publish(journal, "a")
    (beat,) = asks(journal, 5.0)
    journal.answered(beat, said("behind", 0), 5.0)
    assert kinds(journal, 5.0)[0] == ("publish", 1)


@pytest.mark.parametrize("word", ["unopened", "unknown"])
def test_an_engine_that_does_not_know_the_publisher_is_opened_again(word: str) -> None:
    journal = opened("participant")
    publish(journal, "a")
    (beat,) = asks(journal, 5.0)
    journal.answered(beat, said(word), 5.0)
    (ask,) = asks(journal, 5.0)
    assert (ask.kind, ask.call.arguments[2]) == ("open", "participant")
    journal.answered(ask, said("created"), 5.0)
    assert kinds(journal, 5.0) == [("publish", 1)]


def test_leaving_waits_until_everything_before_is_stored() -> None:
    journal = opened()
    batch(journal, "a")
    journal.leave(Leave("completed"))
    (ask,) = asks(journal)
    assert ask.kind == "publish"
    journal.answered(ask, said("stored", 1), 0.0)
    (ask,) = asks(journal)
    assert (ask.kind, ask.replicated) == ("close", True)
    journal.answered(ask, said("closed", 1), 0.0)
    (ask,) = asks(journal)
    assert (ask.kind, ask.replicated) == ("finish", True)
    journal.answered(ask, said("ended"), 0.0)
    assert journal.has_left
    assert asks(journal) == []


def test_only_the_first_word_at_leaving_counts() -> None:
    journal = opened()
    journal.leave(Leave("failed", "boom"))
    journal.leave(Leave("completed"))
    (ask,) = asks(journal)
    assert "failed" in ask.call.arguments


def test_a_participant_leaves_without_a_status() -> None:
    journal = opened("participant")
    journal.leave(Leave("completed"))
    (ask,) = asks(journal)
    assert "completed" not in ask.call.arguments


def test_an_explicit_finish_counts_from_a_participant_too() -> None:
    journal = opened("participant")
    journal.leave(Leave("completed", explicit=True))
    (ask,) = asks(journal)
    assert "completed" in ask.call.arguments


def test_a_close_that_is_answered_behind_sends_what_is_missing_and_closes_again() -> None:
    journal = opened()
    publish(journal, "a")
    journal.leave(Leave("completed"))
    (close,) = asks(journal)
    journal.answered(close, said("behind", 0), 0.0)
    assert kinds(journal) == [("publish", 1)]
    journal.answered(asks(journal)[0], said("stored", 1), 0.0)
    assert kinds(journal) == [("close", 0)]


def leave_at(journal: Journal, now: float) -> None:
    journal.leave(Leave("completed"))
    for word in ("closed", "ended"):
        (ask,) = asks(journal, now)
        journal.answered(ask, said(word, 1), now)


def test_a_closed_execution_is_watched_through_the_held_window() -> None:
    journal = opened()
    publish(journal, "a")
    leave_at(journal, 0.0)
    (ask,) = asks(journal, 5.0)
    journal.answered(ask, said("behind", 0), 5.0)
    journal.answered(asks(journal, 5.0)[0], said("stored", 1), 5.0)
    assert kinds(journal, 5.0) == [("close", 0)]
    assert not journal.expired(31.0)


def test_a_closed_execution_expires_after_the_held_window() -> None:
    journal = opened()
    leave_at(journal, 0.0)
    assert not journal.expired(30.0)
    assert journal.expired(30.1)


def test_a_record_after_the_close_is_sent_and_closes_again() -> None:
    journal = opened()
    leave_at(journal, 0.0)
    publish(journal, "late")
    assert kinds(journal) == [("close", 0)]


def test_a_finished_id_is_opened_under_the_next_free_name() -> None:
    journal = Journal("p", ID)
    journal.pending.add(encode(ID, {"message": "a"}))
    for name in (ID, f"{ID}.2"):
        (ask,) = asks(journal)
        assert ask.call.execution_id == name
        journal.answered(ask, said("finished"), 0.0)
    journal.answered(asks(journal)[0], said("created"), 0.0)
    journal.seal(journal.pending.take(10, 1000))
    (ask,) = asks(journal)
    assert journal.execution_id == f"{ID}.3"
    assert [r["execution_id"] for r in records_of(ask)] == [f"{ID}.3"]


def test_names_that_run_out_or_grow_too_long_join_the_finished_execution() -> None:
    bounded = Journal("p", ID, settings=replace(SETTINGS, max_renames=1))
    too_long = Journal("p", "x" * 127)
    for journal in (bounded, too_long):
        journal.answered(asks(journal)[0], said("finished"), 0.0)
        (ask,) = asks(journal)
        assert ask.call.arguments[2] == "participant"
        assert ask.call.execution_id == journal.asked_id


def test_a_loss_becomes_a_lost_record_in_its_place_with_its_count() -> None:
    journal = opened()
    for message in "abcd":
        journal.pending.add(encode(ID, {"message": message}))
    journal.pending.drop(2)
    journal.pending.drop(3)
    journal.seal(journal.pending.take(1000, 1 << 20))
    (ask,) = asks(journal)
    assert [r.get("lost", r["message"]) for r in records_of(ask)] == ["a", 2, "d"]
    assert ask.call.arguments[12] == 2  # what the lost records stand for
    assert journal.settled == 0
    journal.answered(ask, said("stored", 1), 0.0)
    assert journal.settled == 4


def test_the_newest_progress_of_a_batch_goes_into_the_state() -> None:
    journal = opened()
    for value in ("10.0", "20.0"):
        json = encode(ID, {"progress": value}, kind="progress").json
        journal.pending.add(Progress(json, None, value))
    journal.seal(journal.pending.take(1000, 1 << 20))
    assert asks(journal)[0].call.arguments[14] == "20.0"


def test_an_answer_that_asks_to_cancel_is_remembered() -> None:
    journal = opened()
    journal.answered(asks(journal, 5.0)[0], said("alive", cancel=True), 5.0)
    assert journal.cancel


def test_too_many_publishers_are_waited_for() -> None:
    journal = Journal("p", ID)
    journal.answered(asks(journal)[0], said("full"), 0.0)
    assert journal.full
    journal.answered(asks(journal)[0], said("joined"), 0.0)
    assert not journal.full


def test_batches_of_the_same_publisher_for_two_executions_are_held_apart() -> None:
    held = Held(1 << 20, 30.0)
    one, two = opened(held=held), Journal("p", "exec-2", held=held)
    publish(one, "a")
    two.answered(asks(two)[0], said("created"), 0.0)
    batch(two, "b")
    two.answered(asks(two)[0], said("behind", 0), 0.0)
    assert kinds(two) == [("publish", 1)]
    assert len(held) == 1


def sealed_of(journal: Journal, number: int) -> Batch:
    (found,) = journal._held.take_after(journal._shelf, number - 1, number)
    return found.batch


def test_held_batches_keep_their_bytes() -> None:
    journal = opened()
    batch(journal, "a")
    (ask,) = asks(journal)
    journal.answered(ask, said("stored", 1), 0.0)
    assert sealed_of(journal, 1).frame == ask.call.arguments[-1]


def test_what_was_taken_and_is_in_no_batch_yet_is_not_settled() -> None:
    """Other threads ask at any moment, also between taking and sealing."""
    journal = opened()
    journal.pending.add(encode(ID, {"message": "a"}))
    items = journal.pending.take(1000, 1 << 20)
    assert not journal.has_settled(1, left=False)
    journal.seal(items)
    assert not journal.has_settled(1, left=False)
    journal.answered(asks(journal)[0], said("stored", 1), 0.0)
    assert journal.has_settled(1, left=False)


def test_what_a_failover_took_back_is_not_settled_until_it_is_stored_again() -> None:
    """Each batch counts as settled once, however often it is sent."""
    journal = opened()
    publish(journal, "a", "b")
    publish(journal, "c")
    journal.answered(asks(journal, 100.0)[-1], said("behind", 1), 100.0)
    assert journal.settled == 2
    journal.answered(asks(journal)[0], said("stored", 2), 0.0)
    assert journal.settled == 3


def test_who_listens_says_so_at_once_by_a_beat_until_the_engine_has_heard_it() -> None:
    journal = opened()
    publish(journal, "a", now=1.0)
    journal.listen()
    (beat,) = asks(journal, 1.1)
    assert (beat.kind, beat.call.arguments[4], beat.shown) == ("beat", 1, True)
    (again,) = asks(journal, 1.2)
    assert again.kind == "beat"
    journal.answered(again, said("alive", 1), 1.2)
    assert asks(journal, 1.3) == []


def test_an_opening_says_who_listens_already() -> None:
    journal = Journal("p", ID, settings=SETTINGS)
    journal.listen()
    (opening,) = asks(journal, 0.0)
    assert opening.call.arguments[-1] == 1
    journal.answered(opening, said("created"), 0.0)
    assert asks(journal, 0.1) == []


def test_a_batch_says_which_is_its_last_error_and_how_steps_ended() -> None:
    journal = opened()
    journal.pending.add(encode("exec-1", {"message": "no", "level": "error"}))
    ended = {"step_name": "load", "status": "failed", "duration_ms": 5}
    journal.pending.add(encode("exec-1", ended, kind="step"))
    journal.pending.add(encode("exec-1", {"message": "yes"}))
    journal.seal(journal.pending.take(10, 10_000))
    (ask,) = asks(journal, 1.0)
    error, *steps = ask.call.arguments[18:]
    assert str(error).startswith('0 {"step_name":null,"message":"no"')
    assert (steps, ask.shown) == (["load", "1 1 5"], True)
