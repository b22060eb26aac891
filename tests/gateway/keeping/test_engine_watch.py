"""A gateway warns of an engine that may lose logs, and shows it in a metric."""

from __future__ import annotations

import asyncio
import logging
from dataclasses import replace

import pytest
from tests.gateway.conftest import QUICK
from tests.gateway.running import Running, running
from tests.polling import a_moment, soon
from tests.server_process import server

from runtail_broker.engines.engine_health import SUBJECTS


async def unsafe(gateway: Running, subject: str) -> float:
    return await gateway.metric(f'runtail_engine_unsafe{{subject="{subject}"}}')


async def until_unsafe(gateway: Running, subject: str, value: float) -> None:
    async with asyncio.timeout(10):
        while await unsafe(gateway, subject) != value:
            await a_moment()


async def test_what_is_unsafe_is_warned_of_once_and_shown_until_it_is_mended(
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level(logging.WARNING, "runtail.gateway")
    settings = replace(QUICK, engine_check_seconds=0.05)
    with server("valkey", (), ("maxmemory-policy allkeys-lru",)) as engine:
        await soon(engine.answers, "it answers")
        url = f"redis://runtail-gateway:change-me-gateway@127.0.0.1:{engine.port}"
        async with running(settings, url) as gateway:
            await until_unsafe(gateway, "eviction", 1)
            assert sum([await unsafe(gateway, subject) for subject in SUBJECTS]) == 1
            engine.ask("CONFIG", "SET", "maxmemory", "100mb")
            engine.ask("CONFIG", "SET", "appendonly", "no")
            await until_unsafe(gateway, "persistence", 1)
            engine.ask("CONFIG", "SET", "maxmemory-policy", "noeviction")
            engine.ask("CONFIG", "SET", "appendonly", "yes")
            await until_unsafe(gateway, "eviction", 0)
            await until_unsafe(gateway, "persistence", 0)
    warned = [r.getMessage() for r in caplog.records if "maxmemory-policy" in r.getMessage()]
    assert len(warned) == 1
    assert "maxmemory-policy is allkeys-lru; set maxmemory-policy noeviction" in warned[0]


async def test_an_engine_that_is_full_is_shown() -> None:
    settings = replace(QUICK, engine_check_seconds=0.05)
    with server("valkey", (), ("maxmemory 1mb",)) as engine:
        await soon(engine.answers, "it answers")
        url = f"redis://runtail-gateway:change-me-gateway@127.0.0.1:{engine.port}"
        async with running(settings, url) as gateway:
            await until_unsafe(gateway, "memory", 1)
