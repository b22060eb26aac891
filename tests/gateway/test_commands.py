"""`runtail tail a b`, `top`, `export` and `prune` against a real gateway."""

from __future__ import annotations

import asyncio
import json
import os
import socket
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import timedelta
from pathlib import Path

import pytest
from tests.gateway.alerts.test_alerts import run
from tests.gateway.running import Running
from tests.gateway.worker import Worker

from runtail import AsyncPublisher
from runtail.command import main
from runtail.commands.prune import age
from runtail_broker.connections.client import Nodes

Captured = pytest.CaptureFixture[str]


@contextmanager
def cut_once(port: int, after_bytes: int) -> Iterator[int]:
    """Carry connections to *port*; the first one's answer is cut after so many bytes."""

    def carry(here: socket.socket, there: socket.socket, most: float) -> None:
        with suppress(OSError):
            while most > 0 and (data := here.recv(16_384)):
                there.sendall(data)
                most -= len(data)
        for each in (here, there):
            with suppress(OSError):
                each.shutdown(socket.SHUT_RDWR)

    def serve() -> None:
        most: float = after_bytes
        with suppress(OSError):
            while True:
                client, _ = listener.accept()
                server = socket.create_connection(("127.0.0.1", port))
                sockets.extend((client, server))
                for way in ((client, server, float("inf")), (server, client, most)):
                    threading.Thread(target=carry, args=way, daemon=True).start()
                most = float("inf")

    sockets: list[socket.socket] = []
    with socket.create_server(("127.0.0.1", 0)) as listener:
        thread = threading.Thread(target=serve)
        thread.start()
        try:
            yield listener.getsockname()[1]
        finally:
            listener.shutdown(socket.SHUT_RDWR)
            thread.join()
            for each in sockets:
                each.close()


async def runtail(gateway: Running, *words: str) -> int:
    return await asyncio.to_thread(main, [*words, "--url", gateway.address])


async def test_several_are_followed_at_once_each_line_under_its_name(
    pushing: Running, engine_url: str, capsys: Captured
) -> None:
    async with (
        AsyncPublisher(engine_url) as publisher,
        publisher.execution("a") as a,
        publisher.execution("bee") as b,
    ):
        for number in range(5):
            for name, work in (("a", a), ("b", b)):
                work.info(f"of {name} {number}")
                await publisher.flush()
                await asyncio.sleep(0.003)  # times are in ms
    code = await runtail(pushing, "tail", "a", "bee", "--no-color")
    lines = capsys.readouterr().out.splitlines()
    assert code == 0
    said = [line.split(" │ ")[0].strip() for line in lines if "of " in line]
    assert said == ["a", "bee"] * 5
    assert sorted(line for line in lines if "---" in line) == [
        "a   │ --- completed: 8 lines, complete ---",
        "bee │ --- completed: 8 lines, complete ---",
    ]


async def test_of_several_the_worst_end_is_the_exit_code(
    pushing: Running, engine_url: str, capsys: Captured
) -> None:
    await run(engine_url, "good")
    await run(engine_url, "bad", fails=True)
    assert await runtail(pushing, "tail", "good", "bad", "nope") == 1
    assert "nope │ execution 'nope' does not exist" in capsys.readouterr().err
    assert await runtail(pushing, "tail", "good", "nope") == 4


async def test_as_json_records_say_whose_they_are(
    pushing: Running, engine_url: str, capsys: Captured
) -> None:
    await run(engine_url, "one", "hello")
    await run(engine_url, "two", "hello")
    assert await runtail(pushing, "tail", "one", "two", "--json") == 0
    rows = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    said = [row["execution_id"] for row in rows if row.get("message") == "hello"]
    assert said == ["one", "two"]


async def test_several_go_on_where_their_connection_was_cut(
    pushing: Running, engine_nodes: Nodes, capsys: Captured
) -> None:
    """Nothing comes twice and nothing is missing, of none of them."""
    names = ["one", "two"]
    for name in names:
        worker = Worker(engine_nodes, name)
        await worker.open()
        await worker.log_many(batches=10, records=100, size=200)
        await worker.end()
    with cut_once(pushing.port, 150_000) as port:
        words = ["tail", *names, "--json", "--url", f"http://127.0.0.1:{port}"]
        assert await asyncio.to_thread(main, words) == 0
    shown = capsys.readouterr()
    assert "reconnecting, try 1" in shown.err
    rows = [json.loads(line) for line in shown.out.splitlines()]
    for name in names:
        seqs = [row["seq"] for row in rows if row["execution_id"] == name]
        assert seqs == list(range(1, 1004))


async def test_an_export_is_the_log_and_says_that_it_is_complete(
    pushing: Running, worker: Worker, tmp_path: Path, capsys: Captured
) -> None:
    await worker.open()
    await worker.log_many(batches=3, records=10)
    file = tmp_path / "log.ndjson"
    assert await runtail(pushing, "export", worker.execution_id, str(file)) == 3
    assert "not ended: 31 lines, nothing is missing so far" in capsys.readouterr().out
    await worker.log_many(batches=1, records=10)
    await worker.end()
    cut = file.read_bytes()[:-7]
    file.write_bytes(cut)
    assert await runtail(pushing, "export", worker.execution_id, str(file)) == 0
    assert "completed: 43 lines, complete" in capsys.readouterr().out
    stored = [record["id"] for record in await worker.stored()]
    assert [json.loads(line)["id"] for line in file.read_text().splitlines()] == stored


async def test_an_export_goes_on_where_the_connection_was_cut(
    pushing: Running, worker: Worker, tmp_path: Path, capsys: Captured
) -> None:
    """Half of it is here, the rest is fetched: what was here is not written again."""
    await worker.open()
    await worker.log_many(batches=20, records=100, size=200)
    await worker.end()
    file = tmp_path / "log.ndjson"
    with cut_once(pushing.port, 100_000) as port:
        words = [
            "export",
            worker.execution_id,
            str(file),
            "--url",
            f"http://127.0.0.1:{port}",
        ]
        assert await asyncio.to_thread(main, words) == 0
    assert "going on, try 2" in capsys.readouterr().err
    assert [json.loads(line)["seq"] for line in file.read_text().splitlines()] == list(
        range(1, 2004)
    )


async def test_a_text_is_written_when_all_is_there(
    pushing: Running, engine_url: str, tmp_path: Path
) -> None:
    await run(engine_url, "done", "hello \x1b[31mthere")
    file = tmp_path / "log.txt"
    assert await runtail(pushing, "export", "done", str(file)) == 0
    assert "hello \\x1b[31mthere" in file.read_text()
    assert os.listdir(tmp_path) == [file.name]


async def test_another_file_is_not_overwritten_and_an_unknown_execution_leaves_none(
    pushing: Running, engine_url: str, tmp_path: Path, capsys: Captured
) -> None:
    await run(engine_url, "done")
    file = tmp_path / "mine.ndjson"
    file.write_text("my notes\n")
    assert await runtail(pushing, "export", "done", str(file)) == 2
    assert file.read_text() == "my notes\n"
    assert await runtail(pushing, "export", "nope", str(tmp_path / "nope.ndjson")) == 4
    assert "HTTP 404; execution 'nope' does not exist" in capsys.readouterr().err
    assert os.listdir(tmp_path) == [file.name]


async def test_pruning_shows_and_deletes_nothing_until_told_and_asked(
    pushing: Running, engine_url: str, capsys: Captured, monkeypatch: pytest.MonkeyPatch
) -> None:
    await run(engine_url, "old")
    assert await runtail(pushing, "prune", "--older-than", "1m") == 0
    assert capsys.readouterr().out == "nothing is that old\n"
    monkeypatch.setattr("runtail.commands.prune.age", lambda text: timedelta())
    await run(engine_url, "bad", fails=True)
    await run(engine_url, "other", workflow="other")
    async with AsyncPublisher(engine_url) as publisher, publisher.execution("going"):
        words = ["prune", "--older-than", "1m", "--workflow", "nightly"]
        assert await runtail(pushing, *words) == 0
        shown = capsys.readouterr().out
        assert "2 executions, 0.0 MiB; nothing was deleted: that takes --delete" in shown
        assert "going" not in shown
        monkeypatch.setattr("builtins.input", lambda question: sys.stdout.write(question) and "n")
        assert await runtail(pushing, *words, "--delete") == 0
        assert "Delete 2 executions, 0.0 MiB? [y/N]" in capsys.readouterr().out
        monkeypatch.setattr("builtins.input", lambda question: "y")
        assert await runtail(pushing, *words, "--status", "failed", "--delete") == 0
        assert "1 executions are deleted" in capsys.readouterr().out
        assert await runtail(pushing, "ls", "--json") == 0
    left = [json.loads(line)["id"] for line in capsys.readouterr().out.splitlines()]
    assert sorted(left) == ["going", "old", "other"]


def test_an_age_is_a_number_and_a_unit() -> None:
    assert [age("90m"), age("2w")] == [timedelta(minutes=90), timedelta(weeks=2)]


async def test_top_prints_one_table_where_there_is_no_terminal(
    pushing: Running, engine_url: str, capsys: Captured
) -> None:
    await run(engine_url, "done", "hello")
    async with AsyncPublisher(engine_url) as publisher, publisher.execution("going") as work:
        work.info("one")
        await publisher.flush()
        assert await runtail(pushing, "top", "--interval", "0.2") == 0
    shown = capsys.readouterr().out
    assert "1 running, 0 lost" in shown
    assert shown.index("going") < shown.index("done")
    assert "live messages" in shown


async def test_a_gateway_that_is_away_is_told_with_what_to_do(capsys: Captured) -> None:
    for words in (["top"], ["ls"], ["export", "a", "/dev/null/x"], ["prune", "--older-than", "1d"]):
        assert main([*words, "--url", "http://127.0.0.1:9"]) == 4
        told = capsys.readouterr().err
        assert words[0] == "export" or "start one with `runtail gateway`" in told
