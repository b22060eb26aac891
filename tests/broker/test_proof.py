"""Where a cursor stands in a stream, case by case; faults combined: test_tail_model.py."""

from __future__ import annotations

import pytest
from tests.broker.tail_world import Sealed, World

from runtail_broker.cursor import START, Cursor, RecordId, start_of
from runtail_broker.proof import (
    NOTHING,
    Bounds,
    Continues,
    Diverged,
    Gap,
    Verdict,
    prove,
    prove_id,
    worth_a_reset,
)

EPOCH = 77


def stream(*counts: int, first_name: int = 1) -> World:
    world = World().opened(EPOCH)
    for name, count in enumerate(counts, first_name):
        world = world.append(Sealed(name, count), 5000)
    return world


def verdict_on(cursor: Cursor, world: World) -> Verdict:
    return prove(cursor, [e for e in world.entries if e.id > cursor.id], world.bounds)


def verdict_on_id(place: RecordId, world: World) -> Verdict:
    entries = [e for e in world.entries if e.id >= place]
    return prove_id(Cursor(place, None, None), entries, world.bounds)


WORLD = stream(1, 2, 3, 2)


@pytest.mark.parametrize("seq", range(1, 9))
def test_every_cursor_of_the_stream_continues_with_the_next_record(seq: int) -> None:
    (holder,) = [e for e in WORLD.entries if e.seq <= seq <= e.last_seq]
    verdict = verdict_on(holder.cursor_at(seq), WORLD)
    assert isinstance(verdict, Continues)
    assert verdict.cursor == holder.cursor_at(seq)
    if seq < 8:
        assert verdict.entries[0].seq + verdict.skip == seq + 1
    else:
        assert verdict.entries == ()


@pytest.mark.parametrize("seq", range(1, 9))
def test_no_cursor_of_another_history_continues(seq: int) -> None:
    other = stream(1, 2, 3, 2, first_name=10)
    (holder,) = [e for e in other.entries if e.seq <= seq <= e.last_seq]
    assert verdict_on(holder.cursor_at(seq), WORLD) == Diverged("another history")


@pytest.mark.parametrize("later", [0, 1])
def test_ids_below_the_cursors_own_do_not_make_it_the_end(later: int) -> None:
    """After a clock's step back the records of the new history may all have lower ids."""
    beyond = Cursor(RecordId(9000, 0), 7 + later, 5)
    assert isinstance(verdict_on(beyond, WORLD), Diverged)


def test_a_longer_history_than_the_stream_is_beyond_its_end() -> None:
    longer = WORLD.append(Sealed(9, 1), 5000)
    assert verdict_on(longer.last, WORLD) == Diverged("beyond the end")


def test_the_start_continues_whatever_the_epoch_or_its_own() -> None:
    for start in (START, start_of(EPOCH)):
        assert verdict_on(start, WORLD) == Continues(start_of(EPOCH), list(WORLD.entries))


def test_the_start_of_another_epoch_is_refused() -> None:
    assert verdict_on(start_of(EPOCH + 1), WORLD) == Diverged("another epoch")


def test_a_start_before_the_first_record_waits_for_it() -> None:
    empty = World().opened(EPOCH)
    assert verdict_on(START, empty) == Continues(start_of(EPOCH), [])


def test_without_an_execution_only_the_open_start_waits() -> None:
    assert prove(START, (), NOTHING) == Continues(START, ())
    assert prove(start_of(EPOCH), (), NOTHING) == Diverged("unknown execution")
    assert prove(WORLD.last, (), NOTHING) == Diverged("unknown execution")
    assert verdict_on_id(RecordId(1, 0), World()) == Diverged("unknown execution")


def test_what_was_trimmed_is_counted() -> None:
    trimmed = WORLD.trimmed(2)
    cursor = WORLD.entries[0].end
    entries = list(trimmed.entries)
    assert verdict_on(cursor, trimmed) == Gap(cursor, entries, 1, 4, 2, proved=False)
    assert verdict_on(START, trimmed) == Gap(start_of(EPOCH), entries, 0, 4, 3, proved=True)


def test_ids_rise_also_over_a_gap() -> None:
    """Whoever has a lower seq and a higher id than the first record kept has another history."""
    first = WORLD.trimmed(2).entries[0]
    within = Cursor(first.id._replace(n=first.id.n - 1), 1, 99)
    assert first.first_id < within.id < first.id
    assert isinstance(verdict_on(within, WORLD.trimmed(2)), Diverged)


def test_trimming_up_to_the_cursor_leaves_no_gap() -> None:
    cursor = WORLD.entries[1].end
    trimmed = WORLD.trimmed(2)
    assert verdict_on(cursor, trimmed) == Continues(cursor, list(trimmed.entries))


def test_a_stream_that_is_gone_is_a_gap_up_to_its_last_record() -> None:
    gone = WORLD.evicted()
    cursor = WORLD.entries[1].end
    assert verdict_on(cursor, gone) == Gap(cursor, (), 3, 9, 5, proved=False, reason="removed")
    start = start_of(EPOCH)
    assert verdict_on(START, gone) == Gap(start, (), 0, 9, 8, proved=True, reason="removed")
    assert verdict_on(WORLD.last, gone) == Continues(WORLD.last, ())


def test_a_head_that_somebody_removed_is_told_from_the_start() -> None:
    """The state knows nothing of it: the first entry does."""
    entries = WORLD.entries[2:]
    verdict = prove(START, entries, WORLD.bounds)
    assert isinstance(verdict, Gap)
    assert (verdict.lost, verdict.before_seq) == (3, 4)


def test_records_that_are_kept_are_never_called_trimmed() -> None:
    other = WORLD.entries[1].end._replace(tag=1)
    assert verdict_on(other, WORLD.trimmed(1)) == Diverged("another history")


@pytest.mark.parametrize("seq", range(1, 9))
def test_a_bare_id_becomes_the_cursor_of_its_record(seq: int) -> None:
    (holder,) = [e for e in WORLD.entries if e.seq <= seq <= e.last_seq]
    cursor = holder.cursor_at(seq)
    verdict = verdict_on_id(cursor.id, WORLD)
    assert isinstance(verdict, Continues)
    assert verdict.cursor == cursor
    after = [e for e in WORLD.entries if e.last_seq > seq]
    assert list(verdict.entries) == after
    assert verdict.skip == (seq + 1 - after[0].seq if after else 0)


def test_a_bare_id_that_was_trimmed_is_a_gap_of_unknown_size() -> None:
    trimmed = WORLD.trimmed(2)
    verdict = verdict_on_id(WORLD.entries[0].id, trimmed)
    assert isinstance(verdict, Gap)
    assert (verdict.after_seq, verdict.before_seq, verdict.lost) == (None, 4, None)
    assert not verdict.proved


def test_a_bare_id_of_no_record_is_refused() -> None:
    assert verdict_on_id(RecordId(9000, 0), WORLD) == Diverged("beyond the end")
    assert verdict_on_id(RecordId(1, 0), WORLD) == Diverged("no such record")


def test_an_older_cursor_is_worth_a_reset_only_if_it_proves_what_the_viewer_has() -> None:
    cursor, start = WORLD.entries[0].end, start_of(EPOCH)
    gap = Gap(cursor, (), 1, 4, 2, proved=False)
    assert worth_a_reset(cursor, Continues(cursor, ()))
    assert worth_a_reset(start, gap)
    assert not worth_a_reset(cursor, gap)
    assert not worth_a_reset(start, Diverged("another epoch"))


def test_bounds_without_an_execution_name_the_open_start() -> None:
    assert Bounds(None, 0, START) == NOTHING
