"""What an engine says of itself, judged: what is unsafe is told, and what to change."""

from __future__ import annotations

import pytest

from runtail_broker.engines.engine_health import NEAR_SHARE, SUBJECTS, Finding, judged

SOUND = {
    "redis_version": "7.2.4",
    "valkey_version": "8.1.0",
    "role": "master",
    "loading": "0",
    "maxmemory_policy": "noeviction",
    "aof_enabled": "1",
    "aof_last_write_status": "ok",
    "rdb_last_bgsave_status": "ok",
    "used_memory": "1000",
    "maxmemory": "10000",
    "connected_slaves": "1",
}


def of(subject: str, **changed: str) -> Finding:
    """Judge a sound engine but for what is *changed*."""
    findings = judged(SOUND | changed, replicated=True)
    (found,) = [finding for finding in findings if finding.subject == subject]
    return found


def test_a_sound_engine_needs_nothing() -> None:
    assert {(found.level, found.advice) for found in judged(SOUND, replicated=True)} == {("ok", "")}


@pytest.mark.parametrize(
    ("subject", "level", "changed"),
    [
        ("version", "error", {"valkey_version": "7.0.1"}),
        ("role", "error", {"role": "slave"}),
        ("loading", "error", {"loading": "1"}),
        ("eviction", "error", {"maxmemory_policy": "allkeys-lru"}),
        ("eviction", "warning", {"maxmemory_policy": "volatile-ttl"}),
        ("persistence", "warning", {"aof_enabled": "0"}),
        ("writing", "error", {"aof_last_write_status": "err"}),
        ("writing", "error", {"rdb_last_bgsave_status": "err"}),
        ("memory", "warning", {"used_memory": str(int(10_000 * NEAR_SHARE))}),
        ("memory", "error", {"used_memory": "9900"}),
        ("replicas", "warning", {"connected_slaves": "0"}),
    ],
)
def test_what_is_unsafe_is_told_with_what_to_change(
    subject: str, level: str, changed: dict[str, str]
) -> None:
    found = of(subject, **changed)
    assert found.level == level
    assert found.advice
    assert subject in SUBJECTS


def test_just_below_the_bound_memory_is_not_near() -> None:
    assert of("memory", used_memory=str(int(10_000 * NEAR_SHARE) - 1)).level == "ok"


def test_without_a_bound_of_memory_it_is_advised_to_set_one() -> None:
    found = of("memory", maxmemory="0")
    assert (found.level, found.text) == ("ok", "1000 bytes used, maxmemory is not set")
    assert found.advice.startswith("set maxmemory")


def test_an_old_redis_is_named() -> None:
    findings = judged({"redis_version": "6.2.14"})
    assert findings[0].text == "Redis 6.2.14"
    assert findings[0].level == "error"


def test_one_server_needs_no_replica() -> None:
    assert "replicas" not in {found.subject for found in judged(SOUND)}
