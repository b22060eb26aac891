"""What a program says without logging it, and what becomes of it in a run."""

from __future__ import annotations

import io
import logging
import subprocess
import sys
import threading
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from tests.producers.stored import Stored
from tests.producers.worker import Worker, working

from runtail.capturing.capture import capture_exceptions, capture_print, capture_warnings
from runtail.capturing.inlet import Target
from runtail.capturing.logging_handler import RunHandler


@pytest.fixture
def worker(engine_url: str, stored: Stored, execution_id: str) -> Iterator[Worker]:
    with working(engine_url, stored, execution_id) as worker:
        yield worker


@contextmanager
def printing(run: Target, *, also: bool = True) -> Iterator[io.StringIO]:
    """Capture what is printed to a terminal of the test's own."""
    real, out = sys.stdout, io.StringIO()
    sys.stdout = out
    try:
        with capture_print(run, also=also):
            yield out
        assert sys.stdout is out
    finally:
        sys.stdout = real


@pytest.fixture
def hooked(monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    """What the hooks that were there before were called with."""
    calls: list[Any] = []
    monkeypatch.setattr(sys, "excepthook", lambda *args: calls.append(args))
    monkeypatch.setattr(threading, "excepthook", calls.append)
    monkeypatch.setattr(sys, "unraisablehook", lambda args: calls.append(args.exc_type))
    return calls


# ---- print


def say(text: str, end: str = "\n") -> None:
    """Do what `print` does, which the linter reserves for programs."""
    sys.stdout.write(text)
    sys.stdout.write(end)


def test_what_is_printed_is_published_line_by_line_and_printed(worker: Worker) -> None:
    with printing(worker.run) as out:
        say("a b")
        say("c\nd")
    first, *rest = worker.logs()
    assert (first["message"], first["level"], first["stream"]) == ("a b", "info", "stdout")
    assert [record["message"] for record in rest] == ["c", "d"]
    assert out.getvalue() == "a b\nc\nd\n"


def test_a_partial_line_waits_for_its_newline_or_the_end(worker: Worker) -> None:
    with printing(worker.run):
        say("a", end="")
        assert worker.messages() == []
        say("b")
        say("c", end="")
    assert worker.messages() == ["ab", "c"]


def test_a_progress_bar_is_folded_to_its_last_state(worker: Worker) -> None:
    with printing(worker.run) as out:
        for percent in range(101):
            say(f"\r{percent} %", end="")
        say("")
    messages = worker.messages()
    assert messages[-1] == "100 %"
    assert len(messages) < 50
    assert out.getvalue().count("\r") == 101


def test_the_lines_of_threads_do_not_mix(worker: Worker) -> None:
    with printing(worker.run):
        say("a", end="")
        other = threading.Thread(target=say, args=("b",))
        other.start()
        other.join()
        say("c")
    assert worker.messages() == ["b", "ac"]


def test_lines_of_two_executions_do_not_mix(worker: Worker, stored: Stored) -> None:
    other = worker.publisher.execution(f"{worker.run.id}-other")
    targets = [worker.run]
    with printing(lambda: targets[0]):
        say("a", end="")
        targets[0] = other
        say("b")
    assert worker.messages() == ["a"]
    assert stored.messages(other.id) == ["b"]


def test_stderr_is_captured_as_warnings_when_asked(
    worker: Worker, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "stderr", io.StringIO())
    with capture_print(worker.run):
        sys.stderr.write("unseen\n")
    with capture_print(worker.run, stderr=True):
        sys.stderr.write("seen\n")
    record = worker.log()
    assert (record["message"], record["level"]) == ("seen", "warning")


def test_without_also_only_what_is_outside_any_execution_is_printed(worker: Worker) -> None:
    targets = iter([worker.run, worker.run, None, None])
    with printing(lambda: next(targets), also=False) as out:
        say("inside")
        say("outside")
    assert worker.messages() == ["inside"]
    assert out.getvalue() == "outside\n"


def test_the_stream_answers_as_the_real_one_does(worker: Worker, tmp_path: Any) -> None:
    with (
        (tmp_path / "out").open("w", encoding="latin-1") as real,
        pytest.MonkeyPatch.context() as m,
    ):
        m.setattr(sys, "stdout", real)
        with capture_print(worker.run):
            assert sys.stdout.isatty() is False
            assert (sys.stdout.fileno(), sys.stdout.encoding) == (real.fileno(), "latin-1")
            assert sys.stdout.buffer is real.buffer
            sys.stdout.writelines(["a\n", "b\n"])
        assert sys.stdout is real
    assert worker.messages() == ["a", "b"]


def test_a_stream_that_somebody_put_over_ours_stays_and_ours_only_passes_on(
    worker: Worker, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "stdout", out := io.StringIO())
    capture = capture_print(worker.run)
    ours = sys.stdout
    sys.stdout = other = io.StringIO()
    capture.restore()
    capture.restore()
    assert sys.stdout is other
    ours.write("late\n")
    assert out.getvalue() == "late\n"
    assert worker.messages() == []


def test_a_program_without_a_console_can_be_captured(
    worker: Worker, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "stdout", None)
    with capture_print(worker.run):
        assert sys.stdout is None


def test_an_error_of_the_real_stream_is_the_printers(worker: Worker) -> None:
    with printing(worker.run) as out:
        out.close()
        with pytest.raises(ValueError, match="closed"):
            say("hello")


def test_a_function_that_prints_when_it_is_asked_for_the_run_ends(worker: Worker) -> None:
    def find() -> None:
        say("who asks?")

    with printing(find) as out:
        say("hello")
    assert out.getvalue() == "who asks?\nhellowho asks?\n\n"


def test_what_the_sending_thread_prints_is_left_alone(worker: Worker) -> None:
    with printing(worker.run, also=False) as out:
        sender = threading.Thread(target=say, args=("sent",), name="runtail")
        sender.start()
        sender.join()
    assert (worker.messages(), out.getvalue()) == ([], "sent\n")


# ---- warnings


def test_a_warning_is_published_and_shown_as_before(
    worker: Worker, monkeypatch: pytest.MonkeyPatch
) -> None:
    shown: list[Any] = []
    monkeypatch.setattr(warnings, "showwarning", lambda *args: shown.append(args))
    before = warnings.showwarning
    with capture_warnings(worker.run):
        warnings.showwarning(UserWarning("old"), UserWarning, "/src/etl.py", 7)
    assert warnings.showwarning is before
    record = worker.log()
    assert (record["level"], record["message"], record["category"]) == (
        "warning",
        "old",
        "UserWarning",
    )
    assert (record["file"], record["line"]) == ("etl.py", 7)
    assert len(shown) == 1


def test_a_warning_that_logging_captures_too_is_published_once(worker: Worker) -> None:
    log = logging.getLogger("py.warnings")
    handler = RunHandler(worker.run)
    log.addHandler(handler)
    logging.captureWarnings(True)
    try:
        with warnings.catch_warnings(), capture_warnings(worker.run):
            warnings.simplefilter("always")
            warnings.warn("old", DeprecationWarning, stacklevel=1)
    finally:
        logging.captureWarnings(False)
        log.removeHandler(handler)
    assert worker.messages() == ["old"]


# ---- exceptions


def caught(error: Exception) -> Any:
    """What a hook is called with for *error*."""
    try:
        raise error
    except Exception:  # noqa: BLE001 - whatever was given
        return sys.exc_info()


def test_an_uncaught_exception_is_published_and_passed_on(
    worker: Worker, hooked: list[Any]
) -> None:
    info = caught(KeyError("rows"))
    with capture_exceptions(worker.run):
        sys.excepthook(*info)
    record = worker.log()
    assert (record["level"], record["message"]) == ("error", "KeyError: 'rows'")
    assert "Traceback" in record["error_message"]
    assert hooked == [info]


def test_an_exception_that_ends_a_thread_names_the_thread(
    worker: Worker, hooked: list[Any]
) -> None:
    with capture_exceptions(worker.run):
        thread = threading.Thread(target=lambda: 1 / 0, name="loader")
        thread.start()
        thread.join()
    record = worker.log()
    assert (record["thread"], record["message"]) == (
        "loader",
        "ZeroDivisionError: division by zero",
    )
    assert len(hooked) == 1


def test_a_thread_that_exits_is_no_failure(worker: Worker, hooked: list[Any]) -> None:
    with capture_exceptions(worker.run):
        thread = threading.Thread(target=sys.exit)
        thread.start()
        thread.join()
    assert worker.messages() == []
    assert len(hooked) == 1


def test_an_exception_in_a_finalizer_says_where_it_was_ignored(
    worker: Worker, hooked: list[Any]
) -> None:
    class Dying:
        def __del__(self) -> None:
            raise KeyError("rows")

    with capture_exceptions(worker.run):
        dying = Dying()
        del dying
    record = worker.log()
    assert record["message"] == "KeyError: 'rows'"
    assert "__del__" in record["ignored_in"]
    assert hooked == [KeyError]


def test_the_hooks_are_put_back_but_not_over_anothers(
    worker: Worker, hooked: list[Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    before = sys.excepthook, threading.excepthook, sys.unraisablehook
    with capture_exceptions(worker.run):
        assert sys.excepthook is not before[0]
    assert (sys.excepthook, threading.excepthook, sys.unraisablehook) == before
    capture = capture_exceptions(worker.run)
    ours = sys.excepthook
    monkeypatch.setattr(sys, "excepthook", other := lambda *args: ours(*args))
    capture.restore()
    assert sys.excepthook is other
    sys.excepthook(*caught(KeyError("late")))
    assert worker.messages() == []
    assert len(hooked) == 1


def test_the_traceback_that_the_previous_hook_prints_is_not_published_again(
    worker: Worker, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "stderr", err := io.StringIO())
    monkeypatch.setattr(sys, "excepthook", sys.__excepthook__)
    with capture_print(worker.run, stderr=True), capture_exceptions(worker.run):
        sys.excepthook(*caught(KeyError("rows")))
    assert worker.messages() == ["KeyError: 'rows'"]
    assert "Traceback" in err.getvalue()


def test_a_program_that_dies_of_an_exception_publishes_it(
    engine_url: str, stored: Stored, execution_id: str
) -> None:
    code = f"""
import runtail
from runtail.capturing.capture import capture_exceptions
publisher = runtail.Publisher({engine_url!r})
capture_exceptions(publisher.execution({execution_id!r}))
raise KeyError("rows")
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60)
    assert done.returncode == 1
    assert done.stderr.rstrip().endswith("KeyError: 'rows'")
    assert stored.messages(execution_id) == ["KeyError: 'rows'"]
