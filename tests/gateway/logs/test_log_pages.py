"""Pages of a log around a place, filtered, with context; downloads as text and compressed."""

from __future__ import annotations

import gzip
from collections.abc import Awaitable, Callable
from typing import Any

import orjson
import pytest
from backports import zstd
from tests.gateway.logs.test_rest import get, refused
from tests.gateway.running import Running
from tests.gateway.worker import Worker

from runtail_broker.connections.client import Nodes
from runtail_broker.cursor import START, Cursor
from runtail_broker.errors import ExecutionNotFound
from runtail_broker.proof import Bounds, Verdict
from runtail_broker.stream import StreamReader
from runtail_gateway.logs.log_pages import LogPages
from runtail_gateway.logs.page_lines import Wanted
from runtail_gateway.protocol.problem import Deleted

pytestmark = pytest.mark.timeout(40)
Record = dict[str, Any]
LEVELS = ("debug", "info", "warning", "error")


@pytest.fixture
async def filled(worker: Worker) -> Worker:
    """A worker with a status and 200 logs, of four levels and five steps, in odd frames."""
    await worker.open()
    number = 0
    for size in (1, 7, 30, 2, 60, 1, 50, 49):
        records = []
        for _ in range(size):
            number += 1
            fields = {"message": f"row {number}", "level": LEVELS[number % 4 % 3]}
            if number % 50 == 0:
                fields = {"message": f"Disk (full) {number}", "level": "error"}
            records.append(fields | {"step_name": f"step {number % 5}"})
        await worker.log_records(records)
    return worker


def path(worker: Worker, query: str) -> str:
    return f"/executions/{worker.execution_id}/logs?{query}"


FILTERS: dict[str, Callable[[Record], bool]] = {
    "level=error": lambda r: r.get("level") == "error",
    "level=error,warning": lambda r: r.get("level") in ("error", "warning"),
    "level=error&level=debug": lambda r: r.get("level") in ("error", "debug"),
    "step=step 3": lambda r: r.get("step_name") == "step 3",
    "step=step 3&level=info": lambda r: r.get("step_name") == "step 3" and r["level"] == "info",
    "q=DISK (": lambda r: "disk (" in r.get("message", "").lower(),
    "q=row 1.": lambda r: False,  # taken literally
    "q=nowhere": lambda r: False,
}


async def forwards(gateway: Running, worker: Worker, query: str) -> list[Record]:
    records: list[Record] = []
    after = "0-0:0:-"
    for _ in range(500):
        page = await get(gateway, path(worker, f"{query}&after={after}"))
        records += page["records"]
        if page["cursor"] == after:
            return records
        after = page["cursor"]
    raise AssertionError("the pages never end")


async def backwards(gateway: Running, worker: Worker, query: str) -> list[Record]:
    page = await get(gateway, path(worker, f"{query}&tail=11"))
    records = list(page["records"])
    while page["before"] is not None:
        page = await get(gateway, path(worker, f"{query}&limit=11&before={page['before']}"))
        records = page["records"] + records
    return records


@pytest.mark.parametrize("gateway_settings", [{"search_records": 70}], indirect=True)
@pytest.mark.parametrize("query", FILTERS)
async def test_walking_filtered_pages_either_way_yields_each_match_once(
    pushing: Running, filled: Worker, query: str
) -> None:
    expected = [record for record in await filled.stored() if FILTERS[query](record)]
    assert await forwards(pushing, filled, f"{query}&limit=11") == expected
    assert await backwards(pushing, filled, query) == expected


@pytest.mark.parametrize("gateway_settings", [{"search_records": 20}], indirect=True)
async def test_a_search_stays_within_its_bound_and_says_how_far_it_looked(
    pushing: Running, filled: Worker
) -> None:
    page = await get(pushing, path(filled, "q=nowhere"))
    assert (page["records"], page["matches"]) == ([], [])
    assert page["looked"] == {"first_seq": 1, "last_seq": 20}
    page = await get(pushing, path(filled, "q=nowhere&tail=5"))
    assert page["looked"]["last_seq"] == 201
    assert page["before"] == page["looked"]["first_seq"] == 182


def size_of(page: Record) -> int:
    """Bytes of its records, as the gateway writes them."""
    return sum(len(orjson.dumps(record)) for record in page["records"])


@pytest.mark.parametrize(
    ("gateway_settings", "most"),
    [({"page_bytes": 1}, 1), ({"page_bytes": 2000}, 2000)],
    indirect=["gateway_settings"],
)
@pytest.mark.parametrize("query", ["", "level=error,warning", "q=nowhere"])
async def test_pages_that_are_cut_for_their_size_leave_nothing_out_either_way(
    pushing: Running, filled: Worker, most: int, query: str
) -> None:
    """Each is as large as allowed, or holds one record; it says that it was cut, or holds all."""
    stored = [r for r in await filled.stored() if not query or FILTERS[query](r)]
    there: list[Record] = []
    after = "0-0:0:-"
    for _ in range(203):
        page = await get(pushing, path(filled, f"{query}&limit=400&after={after}"))
        assert size_of(page) <= most or len(page["records"]) == 1
        there, after = there + page["records"], page["cursor"]
        assert page["cut"] == ("page_bytes" if len(there) < len(stored) else None)
        if page["cut"] is None:
            break
    assert there == stored
    back: list[Record] = []
    before = 10**6
    while before is not None:
        page = await get(pushing, path(filled, f"{query}&limit=400&before={before}"))
        assert size_of(page) <= most or len(page["records"]) == 1
        back, before = page["records"] + back, page["before"]
        assert page["cut"] == ("page_bytes" if before else None)
    assert back == stored


@pytest.mark.parametrize("gateway_settings", [{"page_bytes": 2000}], indirect=True)
async def test_a_page_around_a_place_is_cut_on_both_sides(pushing: Running, filled: Worker) -> None:
    page = await get(pushing, path(filled, "around=100&limit=200"))
    seqs = [record["seq"] for record in page["records"]]
    assert 90 < seqs[0] < 100 < seqs[-1] < 110
    assert seqs == list(range(seqs[0], seqs[-1] + 1))
    assert (page["cut"], page["before"]) == ("page_bytes", seqs[0])
    assert size_of(page) <= 2000
    rest = await get(pushing, path(filled, f"limit=1&after={page['cursor']}"))
    assert rest["records"][0]["seq"] == seqs[-1] + 1


@pytest.mark.parametrize("gateway_settings", [{"page_bytes": 1000}], indirect=True)
async def test_context_that_has_no_room_is_left_out_and_the_page_says_so(
    pushing: Running, filled: Worker
) -> None:
    for query in ("after=0-0:0:-", "before=52"):
        page = await get(pushing, path(filled, f"level=error&context=9&limit=1&{query}"))
        assert (page["matches"], page["cut"]) == ([51], "page_bytes")
        assert 51 in [record["seq"] for record in page["records"]]
        assert size_of(page) <= 1000


async def test_what_is_another_ones_context_is_looked_at_by_the_next_page(
    pushing: Running, worker: Worker
) -> None:
    """Two errors side by side, each within the other's context: either is found, both ways."""
    await worker.open()
    for level in ("info", "error", "error", "info"):
        await worker.log_records([{"message": "row", "level": level}])
    errors = "level=error&limit=1&context=2"
    last = await get(pushing, path(worker, f"{errors}&before=99"))
    assert (last["matches"], last["before"]) == ([4], 4)
    assert [record["seq"] for record in last["records"]] == [2, 3, 4, 5]
    before = await get(pushing, path(worker, f"{errors}&before={last['before']}"))
    assert before["matches"] == [3]
    first = await get(pushing, path(worker, f"{errors}&after=0-0:0:-"))
    assert [record["seq"] for record in first["records"]] == [1, 2, 3, 4, 5]
    after = await get(pushing, path(worker, f"{errors}&after={first['cursor']}"))
    assert (first["matches"], after["matches"]) == ([3], [4])


async def test_the_next_error_comes_with_its_neighbours(pushing: Running, filled: Worker) -> None:
    page = await get(pushing, path(filled, "level=error&limit=1&context=2"))
    assert page["matches"] == [51]
    assert [record["seq"] for record in page["records"]] == [49, 50, 51, 52, 53]
    page = await get(pushing, path(filled, f"level=error&limit=1&after={page['cursor']}"))
    assert page["matches"] == [101]
    page = await get(pushing, path(filled, "level=error&tail=1&context=2"))
    assert page["matches"] == [201]
    assert [record["seq"] for record in page["records"]] == [199, 200, 201]


@pytest.mark.parametrize(
    ("seq", "limit", "first", "last"),
    [
        (100, 20, 90, 109),
        (1, 20, 1, 20),
        (201, 20, 191, 201),
        (9**15, 4, 199, 201),
        (40, 1, 40, 40),
    ],
)
async def test_a_page_around_a_seq_has_it_in_its_middle(
    pushing: Running, filled: Worker, seq: int, limit: int, first: int, last: int
) -> None:
    page = await get(pushing, path(filled, f"around={seq}&limit={limit}"))
    assert [record["seq"] for record in page["records"]] == list(range(first, last + 1))
    assert page["before"] == (first if first > 1 else None)
    rest = await get(pushing, path(filled, f"after={page['cursor']}"))
    assert [record["seq"] for record in rest["records"]] == list(range(last + 1, 202))


async def test_a_page_that_goes_back_names_the_place_behind_it(
    pushing: Running, filled: Worker
) -> None:
    stored = await filled.stored()
    for query, last in (("tail=3", 201), ("before=77&limit=5", 76), ("tail=2&level=error", 201)):
        page = await get(pushing, path(filled, query))
        rest = await get(pushing, path(filled, f"after={page['cursor']}"))
        assert (rest["records"], rest["notices"]) == (stored[last:], [])


@pytest.mark.parametrize(
    "query",
    ["level=loud", "q=" + "x" * 201, "around=5&level=error", "context=3", "level=error&context=0"],
)
async def test_what_makes_no_sense_is_refused(pushing: Running, filled: Worker, query: str) -> None:
    status, problem = await refused(pushing, path(filled, query))
    assert (status, problem["code"]) == (400, "bad_request")
    assert "expected" in problem["detail"]


async def download(gateway: Running, worker: Worker, name: str, coding: str) -> bytes:
    url = f"{gateway.address}/executions/{worker.execution_id}/{name}"
    request = gateway.http.get(url, headers={"Accept-Encoding": coding}, auto_decompress=False)
    async with request as answer:
        assert answer.status == 200
        assert answer.headers.get("Content-Encoding", "") == coding.partition(";")[0].strip("*, ")
        return await answer.read()


@pytest.mark.parametrize("name", ["logs.ndjson", "logs.txt"])
async def test_a_download_is_the_same_however_it_is_compressed(
    pushing: Running, filled: Worker, name: str
) -> None:
    plain = await download(pushing, filled, name, "")
    assert len(plain.splitlines()) == 201
    assert gzip.decompress(await download(pushing, filled, name, "gzip")) == plain
    assert zstd.decompress(await download(pushing, filled, name, "zstd")) == plain


async def test_a_text_reads_well_and_holds_no_control_sequences(
    pushing: Running, worker: Worker
) -> None:
    await worker.open()
    evil = {"message": "\x1b[31mred\x1b[0m \u202e", "level": "error", "step_name": "load"}
    await worker.log_records([evil | {"error_message": "Traceback\n  boom"}])
    lines = (await download(pushing, worker, "logs.txt", "")).decode().splitlines()
    assert lines[1].split(maxsplit=1)[0] == "2"
    assert "error" in lines[1]
    assert lines[1].endswith(r"load \x1b[31mred\x1b[0m \u202e")
    assert [line.strip() for line in lines[2:]] == ["Traceback", "boom"]


async def test_a_download_goes_on_after_a_cursor(pushing: Running, filled: Worker) -> None:
    page = await get(pushing, path(filled, "limit=150"))
    url = f"{pushing.address}/executions/{filled.execution_id}/logs.ndjson?after={page['cursor']}"
    async with pushing.http.get(url) as answer:
        rest = [orjson.loads(line) for line in (await answer.read()).splitlines()]
    assert page["records"] + rest == await filled.stored()


async def test_a_download_that_broke_off_goes_on_after_the_id_of_its_last_line(
    pushing: Running, filled: Worker
) -> None:
    lines = (await download(pushing, filled, "logs.ndjson", "")).splitlines()
    last = orjson.loads(lines[77])["id"]
    rest = await download(pushing, filled, f"logs.ndjson?after={last}", "")
    assert rest.splitlines() == lines[78:]


async def test_a_download_names_the_cursor_at_which_the_next_one_goes_on(
    pushing: Running, filled: Worker
) -> None:
    url = f"{pushing.address}/executions/{filled.execution_id}/logs.txt"
    async with pushing.http.get(url) as answer:
        first, cursor = await answer.text(), answer.headers["Runtail-Cursor"]
    await filled.log("one more")
    async with pushing.http.get(f"{url}?after={cursor}") as answer:
        rest = await answer.text()
    async with pushing.http.get(url) as answer:
        whole = await answer.text()
    assert whole.split() == (first + rest).split()  # columns grow with what was seen
    assert len(rest.splitlines()) == 1


async def test_a_download_ends_at_its_cursor_whatever_comes_meanwhile(
    pushing: Running, filled: Worker
) -> None:
    pages = LogPages(pushing.hub.reader)
    steps = [step async for step in pages.lines(filled.execution_id, START, last=77)]
    lines = [line for step in steps for line in step.lines]
    assert [orjson.loads(line)["seq"] for line in lines] == list(range(1, 78))


class Interrupted(StreamReader):
    """A reader behind whose first read something happens."""

    def __init__(self, nodes: Nodes, happens: Callable[[], Awaitable[object]]) -> None:
        super().__init__(nodes)
        self._happens = [happens]

    async def after(
        self, execution_id: str, cursor: Cursor, entries: int = 16
    ) -> tuple[Verdict, Bounds]:
        found = await super().after(execution_id, cursor, entries)
        while self._happens:
            await self._happens.pop()()
        return found


async def test_what_goes_while_a_page_is_read_is_told_by_the_next_page(
    worker: Worker, engine_nodes: Nodes
) -> None:
    """A page's notices concern what lies before its records."""
    await worker.open()
    await worker.log_many(batches=40, records=2)

    async def everything_is_trimmed() -> None:
        stream = worker.keys.stream
        await engine_nodes.at(stream, lambda node: node.xtrim(stream, maxlen=0, approximate=False))

    pages = LogPages(Interrupted(engine_nodes, everything_is_trimmed))
    first = await pages.after(worker.execution_id, [START], Wanted(1000, 1000, 10**9))
    place = Cursor.parse(first["cursor"])
    assert first["notices"] == []
    assert len(first["records"]) == place.number < 81
    rest = await pages.after(worker.execution_id, [place], Wanted(1000, 1000, 10**9))
    (gap,) = rest["notices"]
    assert (gap["after_seq"], gap["before_seq"], gap["reason"]) == (place.number, 82, "removed")
    assert gap["cursor"] == rest["cursor"]


@pytest.mark.parametrize(
    ("deleted", "error"),
    [(True, Deleted), (False, ExecutionNotFound)],
    ids=["deleted", "emptied"],
)
async def test_what_is_gone_since_the_page_was_asked_for_is_told_at_once(
    worker: Worker, engine_nodes: Nodes, deleted: bool, error: type[Exception]
) -> None:
    await worker.open()
    last = (await worker.entries())[-1].end
    keys = worker.keys
    await engine_nodes.at(keys.state, lambda node: node.delete(*keys.for_scripts))
    if deleted:
        await engine_nodes.at(keys.deleted, lambda node: node.set(keys.deleted, "1"))
    pages = LogPages(StreamReader(engine_nodes))
    for cursor in (last, START):
        with pytest.raises(error):
            await pages.after(worker.execution_id, [cursor], Wanted(10, 10, 10**9))
