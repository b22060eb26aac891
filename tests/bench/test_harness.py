"""The benchmark's own arithmetic, and that its viewers resume where each contender says."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.bench.claims import against_peers
from tests.bench.compare import main as compare
from tests.bench.dialects import DIALECTS
from tests.bench.records import numbered
from tests.bench.report import write_report
from tests.bench.results import Results, Run

ABOUT = {
    "made": "2026-12-01 12:00",
    "cores": 2,
    "processor": "some",
    "system": "Linux",
    "load": 0.1,
    "python": "3.11",
    "engine": "valkey 9",
    "packages": {},
    "left out": {},
}


def results_of(file: Path | None = None, **runs: list[Run]) -> Results:
    """Make results: `W1_naive=[{…}]` are the repetitions of a contender in a workload."""
    results = Results(file)
    results.begin(ABOUT)
    for key, each in runs.items():
        workload, who = key.split("_")
        for run in each:
            results.add(workload, who, run)
    return results


def a_message(who: str, seq: int) -> bytes:
    """Make what a server of a contender sends for a record."""
    text = numbered("e", seq)
    if who == "naive":
        text = b'{"id":"1767-%d",%b' % (seq, text[1:])
        return b"\x81\x7e" + len(text).to_bytes(2, "big") + text
    subject = b"$JS.ACK.hub.hash.logs.consumer.1.%d.%d.1767000000000000000.0" % (seq, seq)
    return b"MSG _INBOX.v1 1 %b %d\r\n%b\r\n" % (subject, len(text), text)


@pytest.mark.parametrize(("who", "place"), [("naive", "1767-3"), ("nats", "3")])
@pytest.mark.parametrize("cut", [0, 1, 60, 200, 350])
def test_a_viewer_resumes_after_the_last_record_it_has_whole(
    who: str, place: str, cut: int
) -> None:
    """A connection may end anywhere in a message, and chunks may end anywhere too."""
    talk = DIALECTS[who]("e", "")
    talk.ready = True
    stream = b"".join(a_message(who, seq) for seq in (1, 2, 3)) + a_message(who, 4)[:cut]
    for start in range(0, len(stream), 97):
        talk.received(stream[start : start + 97])
    assert talk.place() == place


def test_a_viewer_that_got_nothing_resumes_where_it_began() -> None:
    """Else who is cut off twice in a row would miss what came between."""
    assert DIALECTS["naive"]("e", "1767-3").place() == "1767-3"
    assert DIALECTS["nats"]("e", "3").place() == "3"


@pytest.mark.parametrize("chunk", [7, 64, 10_000])
def test_a_viewer_answers_every_question_of_flow_control_once(chunk: int) -> None:
    """The server sends nothing more until it is answered; a question may come in two pieces."""
    asked = b"HMSG _INBOX.v1 1 $JS.FC.logs.consumer.%d 27 27\r\nNATS/1.0 100 FlowControl Request"
    asks = [asked % number + b"\r\n\r\n\r\n" for number in (1, 2, 3)]
    stream = a_message("nats", 1) + asks[0] + a_message("nats", 2) + asks[1] + asks[2]
    talk = DIALECTS["nats"]("e", "")
    talk.ready = True
    answers = [talk.received(stream[i : i + chunk]) for i in range(0, len(stream), chunk)]
    expected = [b"PUB $JS.FC.logs.consumer.%d 0\r\n\r\n" % number for number in (1, 2, 3)]
    assert b"".join(answers) == b"".join(expected)


def test_a_run_goes_on_where_it_was_cut(tmp_path: Path) -> None:
    """What the file holds counts as done, what failed is not tried again."""
    file = tmp_path / "results.jsonl"
    results = results_of(file, W1_runtail=[{"server": 1}, {"server": 3}])
    results.fail("W1", "nats", "it fell over")
    again = Results.read(file)
    assert again.done("W1", "runtail") == 2
    assert again.done("W1", "nats") > 100
    assert again.done("W1", "naive") == 0
    assert again.median("W1", "runtail", "server") == 2


def test_ratios_are_taken_within_a_repetition() -> None:
    """The first beside the first, however far repetitions lie apart."""
    results = results_of(W1_runtail=[{"server": 2}, {"server": 20}], W1_writer=[{"server": 1}] * 2)
    assert results.ratios("W1", "runtail", "writer", "server") == [2, 20]


def test_the_best_peer_is_one_that_lost_nothing() -> None:
    """A peer that drops records is fast; the report names it instead of comparing with it."""
    results = results_of(
        W7_runtail=[{"worst": 2}],
        W7_socketio=[{"worst": 0.1, "lost": 7}],
        W7_nats=[{"worst": 3, "lost": 0}],
        W6_runtail=[{"memory": 16}],
        W6_naive=[{"memory": 1, "cut": 200}],
        W6_nats=[{"memory": 13}],
    )
    found = {one.workload: one for one in against_peers(results)}
    assert (found["W7"].best, found["W7"].met, found["W7"].lossy) == ("nats", True, ["socketio"])
    assert (found["W6"].best, found["W6"].met, found["W6"].lossy) == ("nats", True, ["naive"])


def test_a_peer_that_is_ahead_is_shown_as_ahead() -> None:
    """The report says no where it is no."""
    results = results_of(W3_runtail=[{"p99": 4}], W3_nats=[{"p99": 3}])
    (one,) = against_peers(results)
    assert (one.best, one.met) == ("nats", False)


def test_the_report_shows_medians_spreads_and_a_noisy_machine(tmp_path: Path) -> None:
    """The median of two is their middle."""
    results = results_of(W1_runtail=[{"server": 1, "others": 5}, {"server": 3, "others": 90}])
    write_report(results, tmp_path)
    text = (tmp_path / "README.md").read_text()
    assert "| runtail | 2 (1 … 3) |" in text
    assert "more than 20 % in 1 of 2 measurements" in text
    assert "prefers-color-scheme:dark" in (tmp_path / "w1.svg").read_text()


@pytest.mark.parametrize(("second", "agree"), [([1.1, 1.2], True), ([3.0, 3.5], False)])
def test_reports_agree_when_their_spreads_meet(
    tmp_path: Path, second: list[float], agree: bool
) -> None:
    """`compare` ends with 1 if they do not."""
    files = []
    for number, ratios in enumerate(([0.9, 1.0], second)):
        files.append(str(tmp_path / f"{number}.jsonl"))
        ours: list[Run] = [{"server": ratio} for ratio in ratios]
        floor: list[Run] = [{"server": 1}] * 2
        results_of(Path(files[-1]), W1_runtail=ours, W1_writer50=floor)
    assert compare(files) == (0 if agree else 1)
