"""`runtail archive`: what it prints, and what its exit code says."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import orjson
import pytest
from tests.broker.archives.test_formats import V1

from runtail.command import main

PLACE = str(V1 / "restorable")


@pytest.fixture(autouse=True)
def emptied(engine_url: str) -> Iterator[None]:
    import redis

    with redis.Redis.from_url(engine_url) as engine:
        engine.flushall()
        yield


def told(capsys: pytest.CaptureFixture[str], *words: str) -> tuple[int, str, str]:
    code = main(["archive", *words])
    captured = capsys.readouterr()
    return code, captured.out, captured.err


def test_it_lists_what_an_archive_holds(capsys: pytest.CaptureFixture[str]) -> None:
    code, out, _ = told(capsys, "list", PLACE)
    assert code == 0
    assert out.split() == ["completed", "9", out.split()[2], "nightly", "wf"]
    code, out, _ = told(capsys, "list", PLACE, "--json")
    assert orjson.loads(out)["last_seq"] == 9


def test_it_restores_once_and_says_what_was_there_already(
    capsys: pytest.CaptureFixture[str], engine_url: str
) -> None:
    assert told(capsys, "restore", PLACE, "--redis-url", engine_url)[:2] == (0, "1 restored\n")
    again = told(capsys, "restore", PLACE, "--redis-url", engine_url)
    assert again[:2] == (0, "1 there already\n")


def test_what_is_unreadable_is_named(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    path = tmp_path / "run" / "0000abcd" / "1-2-3-4-0000abcd.ndjson.zst"
    path.parent.mkdir(parents=True)
    path.write_text("something else")
    code, out, err = told(capsys, "list", str(tmp_path))
    assert (code, out) == (1, "")
    assert "run: archive" in err


def test_an_engine_that_does_not_answer_is_told(capsys: pytest.CaptureFixture[str]) -> None:
    code, _, err = told(capsys, "restore", PLACE, "--redis-url", "redis://127.0.0.1:9")
    assert code == 3
    assert "runtail: " in err


@pytest.mark.parametrize("place", ["/nowhere/at/all", "gs://bucket"])
def test_a_place_that_is_none_is_refused(capsys: pytest.CaptureFixture[str], place: str) -> None:
    code, _, err = told(capsys, "list", place)
    assert code == 2
    assert place in err
