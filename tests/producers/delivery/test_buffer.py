"""The buffer: bounded, fair about what it drops, exact about how much."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable

from hypothesis import given
from hypothesis import strategies as st

from runtail.delivery.buffer import Buffer
from runtail.delivery.held import Place, Sealed
from runtail.delivery.journal import Journal
from runtail.delivery.pending import Bundle, Item, Logged, Loss, Pending, Progress
from runtail.settings import PublisherSettings
from runtail_broker.cursor import START
from runtail_broker.records.record import LEVELS, Record, encode
from runtail_broker.script import Answer, Limits


def record(message: str, level: str = "info") -> Record:
    return encode("exec-1", {"message": message, "level": level})


def shown(items: list[Item]) -> list[object]:
    """Show a record as its message, a loss as its count."""
    return [item.count if isinstance(item, Loss) else _message(item) for item in items]


def _message(item: Item) -> str:
    assert isinstance(item, Record)
    return item.json.split(b'"message":"')[1].split(b'"')[0].decode()


def everything(pending: Pending) -> list[object]:
    return shown(pending.take(1000, 1 << 30))


def full_buffer(limit: int) -> tuple[Buffer, Journal]:
    return Buffer(PublisherSettings(max_buffer_records=limit)), Journal("p", "exec-1")


def test_what_fits_is_kept_in_order() -> None:
    buffer, journal = full_buffer(3)
    assert [buffer.add(journal, record(message)) for message in "abc"] == [True] * 3
    assert everything(journal.pending) == ["a", "b", "c"]


def test_one_record_over_the_bound_drops_the_oldest_and_counts_it_in_place() -> None:
    buffer, journal = full_buffer(3)
    for message in "abcde":
        assert buffer.add(journal, record(message))
    assert everything(journal.pending) == [2, "c", "d", "e"]
    assert buffer.counters(0).dropped == 2


def test_bytes_are_bounded_too() -> None:
    size = len(record("a").json)
    buffer = Buffer(PublisherSettings(max_buffer_bytes=2 * size + 10))
    journal = Journal("p", "exec-1")
    for message in "abc":
        buffer.add(journal, record(message))
    assert everything(journal.pending) == [1, "b", "c"]


def test_debug_and_info_go_before_warnings_and_warnings_before_errors() -> None:
    buffer, journal = full_buffer(3)
    for message, level in [("e", "error"), ("w", "warning"), ("d", "debug"), ("i", "info")]:
        buffer.add(journal, record(message, level))
    for message in ("e2", "e3"):
        buffer.add(journal, record(message, "error"))
    assert everything(journal.pending) == ["e", 3, "e2", "e3"]


def test_a_debug_record_that_finds_only_errors_is_dropped_itself() -> None:
    buffer, journal = full_buffer(2)
    for message in ("e", "f"):
        buffer.add(journal, record(message, "error"))
    assert not buffer.add(journal, record("d", "debug"))
    assert everything(journal.pending) == ["e", "f", 1]


def test_losses_that_touch_become_one() -> None:
    pending = Pending()
    for message in "abcde":
        pending.add(record(message))
    for serial in (2, 4, 3):
        pending.drop(serial)
    assert everything(pending) == ["a", 3, "e"]


def test_the_oldest_of_all_executions_goes_first() -> None:
    buffer, one = full_buffer(2)
    two = Journal("p", "exec-2")
    buffer.add(one, record("a"))
    buffer.add(two, record("b"))
    buffer.add(two, record("c"))
    assert everything(one.pending) == [1]
    assert everything(two.pending) == ["b", "c"]


def test_progress_is_dropped_before_a_warning() -> None:
    buffer, journal = full_buffer(1)
    buffer.add(journal, record("w", "warning"))
    assert not buffer.add(journal, Progress(b"{}", None, "1.0"))


def test_sealed_records_count_until_they_are_stored_and_are_never_dropped() -> None:
    buffer, journal = full_buffer(2)
    journal.answered(journal.asks(0, Limits())[0], _answer("created"), 0)
    for message in "ab":
        buffer.add(journal, record(message))
    journal.seal(buffer.take(journal))
    assert not buffer.add(journal, record("c"))
    (sealed,) = journal.answered(journal.asks(0, Limits())[0], _answer("stored", 1), 0)
    buffer.settle(sealed)
    assert buffer.add(journal, record("d"))
    assert everything(journal.pending) == [1, "d"]
    assert buffer.counters(0).stored == 2


def blocking_buffer(seconds: float, *, may_block: bool = True) -> tuple[Buffer, Journal]:
    settings = PublisherSettings(max_buffer_records=2, when_full="block", block_seconds=seconds)
    journal = Journal("p", "exec-1")
    journal.answered(journal.asks(0, Limits())[0], _answer("created"), 0)
    buffer = Buffer(settings, lambda: may_block)
    for message in "ab":
        buffer.add(journal, record(message))
    return buffer, journal


def test_who_asks_to_block_waits_until_there_is_room() -> None:
    buffer, journal = blocking_buffer(60.0)
    added: list[bool] = []
    waiting = threading.Thread(target=lambda: added.append(buffer.add(journal, record("c"))))
    waiting.start()
    journal.seal(buffer.take(journal))
    assert added == []
    (sealed,) = journal.answered(journal.asks(0, Limits())[0], _answer("stored", 1), 0)
    buffer.settle(sealed)
    waiting.join(15)
    assert added == [True]
    assert everything(journal.pending) == ["c"]
    assert buffer.counters(0).dropped == 0


def test_blocking_ends_after_its_time_and_then_drops_by_the_usual_rule() -> None:
    buffer, journal = blocking_buffer(0.05)
    assert buffer.add(journal, record("c"))
    assert everything(journal.pending) == [1, "b", "c"]


def test_a_thread_that_may_not_wait_drops_at_once() -> None:
    buffer, journal = blocking_buffer(600.0, may_block=False)
    assert buffer.add(journal, record("c"))
    assert buffer.counters(0).dropped == 1


def test_closing_lets_go_of_who_waits() -> None:
    buffer, journal = blocking_buffer(600.0)
    waiting = threading.Thread(target=buffer.add, args=(journal, record("c")))
    waiting.start()
    time.sleep(0)
    buffer.close()
    waiting.join(15)
    assert not waiting.is_alive()
    assert buffer.counters(0).dropped == 1


STEP = st.sampled_from(["add", "seal", "store", "spill", "drop", "lose", "found"])


@given(st.lists(STEP, min_size=40, max_size=80), st.integers(1, 6))
def test_accepted_is_always_stored_dropped_pending_and_spilled(
    steps: list[str], limit: int
) -> None:
    buffer, journal = full_buffer(limit)
    journal.answered(journal.asks(0, Limits())[0], _answer("created"), 0)
    sealed: list[Sealed] = []
    for step in steps:
        match step:
            case "add":
                buffer.add(journal, record("a"))
            case "seal" if len(journal.pending):
                journal.seal(buffer.take(journal))
                sealed.append(journal.unspilled[-1])
            case "store" if sealed:
                buffer.settle(sealed.pop())
            case "lose" if sealed:
                buffer.lose(sealed.pop())
            case "drop":
                buffer.drop_pending(journal)
            case "spill" if sealed and sealed[-1].place is None:
                buffer.spill(sealed[-1])
                sealed[-1] = sealed[-1].put_away(Place("file", 0, 1))
            case "found" if sealed and sealed[-1].place is not None:
                buffer.take_over(sealed[-1])
                sealed.append(sealed[-1])
        told = buffer.counters(0)
        assert told.accepted == told.stored + told.dropped + told.pending + told.spilled
        assert min(told.stored, told.dropped, told.pending, told.spilled) >= 0


def _answer(word: str, last: int = 0) -> Answer:
    return Answer(word, last, START, False, "running", 1)


def test_a_frame_takes_no_more_than_its_bounds_but_at_least_one_record() -> None:
    size = len(record("a").json)
    buffer = Buffer(PublisherSettings(max_frame_records=3, max_frame_bytes=2 * size))
    journal = Journal("p", "exec-1")
    for message in ("a", "b", "c", "d" * 1000, "e"):
        buffer.add(journal, record(message))
    sizes = [len(buffer.take(journal)) for _ in range(4)]
    assert sizes == [2, 1, 1, 1]


def test_after_close_everything_is_dropped_and_counted() -> None:
    buffer, journal = full_buffer(3)
    buffer.close()
    assert not buffer.add(journal, record("a"))
    assert buffer.counters(0).dropped == 1


def test_references_to_records_that_are_gone_are_swept() -> None:
    buffer, journal = full_buffer(100_000)
    for _ in range(5000):
        buffer.add(journal, record("a"))
        taken = buffer.take(journal)
        buffer._records -= len(taken)
    assert sum(map(len, buffer._by_rank)) < 2000


@given(
    st.lists(
        st.one_of(
            st.tuples(st.sampled_from(["a", "b"]), st.sampled_from(LEVELS)),
            st.integers(1, 4),
        ),
        max_size=60,
    ),
    st.integers(1, 8),
)
def test_kept_and_dropped_are_always_what_was_added_and_in_order(
    steps: list[tuple[str, str] | int], limit: int
) -> None:
    buffer, one = full_buffer(limit)
    journals = {"a": one, "b": Journal("p", "exec-2")}
    out: dict[str, list[Item]] = {"a": [], "b": []}
    added = {"a": 0, "b": 0}
    for step in steps:
        if isinstance(step, int):
            for name, journal in journals.items():
                taken = journal.pending.take(step, 1 << 20)
                out[name] += taken
                buffer._records -= sum(isinstance(item, Record) for item in taken)
        else:
            name, level = step
            added[name] += 1
            buffer.add(journals[name], record(str(added[name]), level))
    for name, journal in journals.items():
        assert len(journal.pending) <= 2 * limit + 1
        out[name] += journal.pending.take(1000, 1 << 20)
        at = 0
        for item in shown(out[name]):
            at = at + item if isinstance(item, int) else int(str(item))
            if isinstance(item, str):
                assert at == int(item)
        assert at == added[name] == journal.pending.taken
        assert not journal.pending._loss_before


def test_a_bundle_is_dropped_whole_and_counted_record_by_record() -> None:
    pending = Pending()
    pending.add(record("first"))
    serial = pending.add(Bundle([b'{"n":1}', b'{"n":2}', b'{"n":3}'], (0, 3, 0, 0), 21))
    pending.add(record("last"))
    assert pending.drop(serial) is not None
    assert pending.drop(5) is not None  # the record behind it: both losses become one
    assert [type(item).__name__ for item in pending.take(10, 1000)] == ["Record", "Loss"]
    assert pending.added == pending.taken == 5


def test_a_frame_takes_bundles_only_as_far_as_its_limits_reach() -> None:
    pending = Pending()
    for _ in range(3):
        pending.add(Bundle([b"{}"] * 4, (0, 4, 0, 0), 8))
    assert len(pending.take(9, 1000)) == 2
    assert pending.taken == 8


class Interrupted(Pending):
    """Is interrupted in the middle of an add and of a take, by code that logs itself."""

    def __init__(self, log: Callable[[str], bool]) -> None:
        super().__init__()
        self._log = log

    def add(self, logged: Logged) -> int:
        if "outer" in str(logged):
            assert self._log("inside an add")
        return super().add(logged)

    def take(self, max_records: int, max_bytes: int) -> list[Item]:
        assert self._log("inside a take")
        return super().take(max_records, max_bytes)


def test_a_signal_handler_that_logs_inside_a_call_neither_waits_nor_loses() -> None:
    buffer, journal = full_buffer(100)
    journal.pending = Interrupted(lambda message: buffer.add(journal, record(message)))
    taken: list[object] = []

    def work() -> None:
        buffer.add(journal, record("outer"))
        taken.extend(shown(buffer.take(journal)))

    worker = threading.Thread(target=work, daemon=True)
    worker.start()
    worker.join(10)
    assert taken == ["outer", "inside an add"]
    assert [journal in buffer.ready(), buffer.counters(0).accepted] == [True, 3]
    assert shown(Pending.take(journal.pending, 10, 1 << 20)) == ["inside a take"]
