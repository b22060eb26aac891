"""The conformance suite: our gateway passes it, and one with a planted defect does not."""

from __future__ import annotations

import asyncio
from dataclasses import replace

import pytest
from tests.engines import free_port
from tests.faults.scripts import edited
from tests.gateway.conftest import QUICK
from tests.gateway.running import PUSHED, running
from tests.planting import Defect, planted

from runtail_gateway.conformance import main
from runtail_gateway.conformance_checks import CHECKS

SETTLED = replace(QUICK, settle_seconds=0.01)  # the end is written at once
PLANTED = {
    Defect(
        "duplicates are stored", "lua", "if number <= publisher.last then", "if false then"
    ): "a repeated batch is stored once",
    Defect(
        "batches in any order", "lua", "if number > publisher.last + 1 then", "if false then"
    ): "a batch before its predecessor is refused",
    Defect(
        "totals without the end",
        "lua",
        "',\"records\":' .. text_of(state.seq + 1)",
        "',\"records\":' .. text_of(state.seq)",
    ): "the end proves itself",
    Defect(
        "every cursor is at its end",
        "runtail_broker.stream:prove",
        'return Diverged("another history")',
        "return Continues(cursor, entries)",
    ): "a cursor of another history is not believed",
    Defect(
        "only the newest cursor counts",
        "runtail_broker.stream:StreamReader.resume",
        "in cursors[1:]",
        "in cursors[:0]",
    ): "an older cursor counts where the newest cannot be proved",
    Defect(
        "skips one record too few",
        "runtail_broker.stream:prove_id",
        "seq - first.seq + 1",
        "seq - first.seq",
    ): "a record id is a place too",
}


async def table_of(address: str, capsys: pytest.CaptureFixture[str]) -> tuple[int, str]:
    code = await asyncio.to_thread(main, [address])
    return code, capsys.readouterr().out


async def test_our_gateway_keeps_the_protocol(
    engine_url: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """Every check of the suite, one after the other."""
    async with running(SETTLED, engine_url, PUSHED) as gateway:
        code, table = await table_of(gateway.address, capsys)
    assert code == 0, table
    assert f"{len(CHECKS)} of {len(CHECKS)} kept" in table


@pytest.mark.parametrize(
    ("defect", "check"), [pytest.param(*each, id=each[0].name) for each in PLANTED.items()]
)
async def test_a_gateway_with_a_defect_does_not_pass(
    defect: Defect, check: str, engine_url: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """The table names the promise that the defect breaks."""
    with edited(defect.edits), planted(defect):
        async with running(SETTLED, engine_url, PUSHED) as gateway:
            code, table = await table_of(gateway.address, capsys)
    assert code == 1, table
    assert any(row.startswith("broken") and row.endswith(check) for row in table.splitlines())


def test_a_gateway_that_does_not_answer_is_told_apart(capsys: pytest.CaptureFixture[str]) -> None:
    """Nothing can be said of it: another exit code."""
    assert main([f"http://127.0.0.1:{free_port()}"]) == 2
    assert "does not answer" in capsys.readouterr().err
