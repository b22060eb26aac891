"""`runtail doctor` on real engines: one that is sound, and others that are not."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import orjson
import pytest
import redis
from tests.engine_sets import engine_cluster, sentinel_set
from tests.engines import free_port
from tests.polling import until
from tests.server_process import Server, server

from runtail.command import main

SOUND = ("maxmemory 100mb",)


@contextmanager
def started(*settings: str) -> Iterator[Server]:
    with server("valkey", (), settings) as one:
        until(one.answers, "it answers")
        yield one


@pytest.fixture(scope="module")
def sound() -> Iterator[Server]:
    with started(*SOUND) as one:
        one.ask("HSET", "runtail:settings", "max_total_bytes", 50_000_000)
        yield one


def url_of(one: Server, user: str = "operator") -> str:
    secret = user.replace("runtail", "change-me") if user != "operator" else "change-me-operator"
    return f"redis://{user}:{secret}@127.0.0.1:{one.port}"


def told(capsys: pytest.CaptureFixture[str], *arguments: str) -> tuple[int, str]:
    code = main(["doctor", *arguments])
    return code, capsys.readouterr().out


@pytest.mark.parametrize("user", ["operator", "runtail-gateway"])
def test_a_sound_engine_is_well_and_nothing_stays_in_it(
    sound: Server, capsys: pytest.CaptureFixture[str], user: str
) -> None:
    code, out = told(capsys, "--redis-url", url_of(sound, user))
    assert code == 0, out
    for part in ("Valkey", "noeviction", "appendonly is yes", "its clock is", "answers in"):
        assert part in out
    for part in ("publishing: open publish", "reading: a page", "messages of every primary"):
        assert part in out
    keys = {key.decode().rpartition(":")[2] for key in sound.ask("KEYS", "*doctor*")}
    assert keys <= {"deleted"}


def test_a_workers_user_is_judged_as_one(sound: Server, capsys: pytest.CaptureFixture[str]) -> None:
    url = url_of(sound, "runtail-worker")
    assert told(capsys, "--redis-url", url, "--worker")[0] == 0
    code, out = told(capsys, "--redis-url", url)
    assert code == 3
    assert "FAIL  reading: " in out
    assert "runtail-gateway in deploy/redis/users.acl" in out
    assert not {key for key in sound.ask("KEYS", "*doctor*") if not key.endswith(b"deleted")}


def test_an_engine_that_may_forget_is_told_line_by_line(
    capsys: pytest.CaptureFixture[str],
) -> None:
    with started("appendonly no", "maxmemory-policy allkeys-lru", "appendfsync no") as one:
        code, out = told(capsys, "--redis-url", url_of(one))
        _, rows = told(capsys, "--redis-url", url_of(one), "--json")
    assert code == 3
    assert "FAIL" in out
    assert "Set maxmemory-policy noeviction: this one removes logs without a word" in out
    assert "warn" in out
    assert "Set appendonly yes" in out
    assert "appendfsync is no. Set appendfsync everysec or always" in out
    assert {orjson.loads(row)["level"] for row in rows.splitlines()} == {"ok", "warning", "error"}


def test_what_executions_take_of_memory_is_told(
    sound: Server, capsys: pytest.CaptureFixture[str]
) -> None:
    url = url_of(sound)
    main(["log", "run-1", "a line", "--redis-url", url])
    with redis.Redis.from_url(url) as client:
        assert client.exists("runtail:{run-1}:stream")
    _, out = told(capsys, "--redis-url", url)
    assert "1 execution, " in out
    assert "more of that size" in out


def test_how_near_the_cap_is_is_told_and_a_memory_that_is_smaller(
    sound: Server, capsys: pytest.CaptureFixture[str]
) -> None:
    url = url_of(sound)
    main(["log", "run-1", "x" * 2000, "--redis-url", url])
    code, out = told(capsys, "--redis-url", url)
    assert (code, "of 47.68 MiB are kept (0%" in out) == (0, True)
    try:
        sound.ask("HSET", "runtail:settings", "max_total_bytes", 100)
        code, out = told(capsys, "--redis-url", url)
        assert code == 1
        assert "of 100 bytes are kept" in out or "of 100 B are kept" in out
        assert "Beyond it the oldest that have ended go" in out
        sound.ask("HDEL", "runtail:settings", "max_total_bytes")
        code, out = told(capsys, "--redis-url", url)
        assert code == 1
        assert "max_total_bytes is 8 GiB, maxmemory 100 MiB in all. HSET runtail:settings" in out
    finally:
        sound.ask("HSET", "runtail:settings", "max_total_bytes", 50_000_000)


def test_an_engine_that_nobody_runs_is_told(capsys: pytest.CaptureFixture[str]) -> None:
    code, out = told(capsys, "--redis-url", f"redis://127.0.0.1:{free_port()}")
    assert (code, out.startswith("FAIL  the engine: does not answer: ")) == (3, True)


def test_a_url_that_is_none_is_refused_with_the_reason(
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert main(["doctor", "--redis-url", "redis://a?retries=3"]) == 2
    assert "option 'retries', expected one of db" in capsys.readouterr().err


@pytest.mark.full
def test_what_a_cluster_and_a_set_of_replicas_lack_is_told(
    capsys: pytest.CaptureFixture[str],
) -> None:
    with engine_cluster("valkey", settings=["cluster-require-full-coverage yes"]) as cluster:
        code, out = told(capsys, "--redis-url", cluster.url_as("operator"))
    assert code == 1
    assert out.count("Set cluster-require-full-coverage no: one shard away would stop all") == 3
    with sentinel_set("valkey", settings=["min-replicas-to-write 0"]) as watched:
        code, out = told(capsys, "--redis-url", watched.url_as("operator"))
    assert code == 1
    assert "Set min-replicas-to-write 1: cut off from its replicas" in out
