"""Bars of tqdm become progress when they are asked to."""

from __future__ import annotations

import io
import subprocess
import sys

from tests.producers.running import Running

import runtail


def test_a_bar_is_progress_of_its_execution(running: Running) -> None:
    screen = io.StringIO()
    assert list(running.run.tqdm(range(4), desc="rows", file=screen)) == [0, 1, 2, 3]
    first, last = running.records("progress")
    assert (first["done"], first["total"], first["name"]) == (0, 4, "rows")
    assert (last["done"], last["progress"]) == (4, 100)
    assert "4/4" in screen.getvalue()


def test_a_bar_without_a_total_is_indeterminate(running: Running) -> None:
    with running.run.tqdm(unit="B", file=io.StringIO()) as bar:
        bar.update(7)
    last = running.records("progress")[-1]
    assert (last["done"], last["total"], last["progress"], last["unit"]) == (7, None, None, "B")


def test_a_bar_that_is_disabled_reports_nothing(running: Running) -> None:
    assert list(running.run.tqdm(range(2), disable=True)) == [0, 1]
    assert running.records("progress") == []


def test_a_bar_of_the_package_finds_the_current_execution(running: Running) -> None:
    with running.run:
        list(runtail.tqdm_progress(range(2), file=io.StringIO()))
    assert running.records("progress")[-1]["done"] == 2


def test_a_bar_outside_any_execution_is_a_bar() -> None:
    assert list(runtail.tqdm_progress(range(2), file=io.StringIO())) == [0, 1]


def test_tqdm_is_imported_when_a_bar_is_made_and_not_before() -> None:
    script = "import sys, runtail; runtail.tqdm_progress, runtail.Execution; print(*sys.modules)"
    found = subprocess.run([sys.executable, "-c", script], capture_output=True, check=True)
    assert b"runtail.reports" in found.stdout
    assert b"tqdm " not in found.stdout
