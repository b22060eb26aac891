"""Judge by what an engine says of itself whether logs are safe in it. Pure: no I/O."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Final, Literal, get_args

Level = Literal["ok", "warning", "error"]
Subject = Literal[
    "answer",
    "version",
    "role",
    "loading",
    "eviction",
    "persistence",
    "writing",
    "memory",
    "replicas",
]
SUBJECTS: Final[tuple[Subject, ...]] = get_args(Subject)
NEAR_SHARE: Final = 0.85
"""The part of `maxmemory` from which on it is near."""
_FULL_SHARE: Final = 0.98
_LEAST: Final = {"redis": (7, 0), "valkey": (7, 2)}


@dataclass(frozen=True, slots=True)
class Finding:
    """What was found of one subject; *advice* says what to change, and why, '' if nothing.

    What is ok may have an advice too.
    """

    level: Level
    subject: Subject
    text: str
    advice: str = ""


def judged(info: Mapping[str, str], *, replicated: bool = False) -> list[Finding]:
    """Judge what INFO said, one finding for each subject; *replicated*: replicas are expected."""
    found: list[Finding] = []
    for judge in (_version, _role, _eviction, _persistence, _writing, _memory):
        found += judge(info)
    if replicated:
        found += _replicas(info)
    return found


def _version(info: Mapping[str, str]) -> Iterator[Finding]:
    name = "valkey" if "valkey_version" in info else "redis"
    version = info.get(f"{name}_version", "0")
    numbers = tuple(int(part) for part in version.split(".")[:2] if part.isdigit())
    text = f"{name.capitalize()} {version}"
    if numbers >= _LEAST[name]:
        yield Finding("ok", "version", text)
    else:
        yield Finding("error", "version", text, "sharded pub/sub needs Redis 7.0 or Valkey 8")


def _role(info: Mapping[str, str]) -> Iterator[Finding]:
    if info.get("loading") == "1":
        yield Finding("error", "loading", "it still loads its data", "wait until it has")
    if info.get("role", "master") != "master":
        yield Finding(
            "error",
            "role",
            "it is a replica",
            "give the primary's URL, or redis+sentinel:// or redis+cluster://, which find it",
        )


def _eviction(info: Mapping[str, str]) -> Iterator[Finding]:
    policy = info.get("maxmemory_policy", "noeviction")
    text, advice = f"maxmemory-policy is {policy}", "set maxmemory-policy noeviction: "
    if policy == "noeviction":
        yield Finding("ok", "eviction", text)
    elif policy.startswith("allkeys"):
        advice += "this one removes logs without a word when memory is full"
        yield Finding("error", "eviction", text, advice)
    else:
        advice += "this one removes leases and what is remembered of deleted executions"
        yield Finding("warning", "eviction", text, advice)


def _persistence(info: Mapping[str, str]) -> Iterator[Finding]:
    if info.get("aof_enabled") == "1":
        yield Finding("ok", "persistence", "appendonly is yes")
    else:
        advice = "set appendonly yes: a restart of the engine loses what its last snapshot has not"
        yield Finding("warning", "persistence", "appendonly is no", advice)


def _writing(info: Mapping[str, str]) -> Iterator[Finding]:
    failed = [
        name
        for name in ("aof_last_write_status", "aof_last_bgrewrite_status", "rdb_last_bgsave_status")
        if info.get(name, "ok") != "ok"
    ]
    if failed:
        text = f"{', '.join(failed)}: not ok"
        advice = "see the engine's log: its disk is full or broken, and it may refuse to write"
        yield Finding("error", "writing", text, advice)


def _memory(info: Mapping[str, str]) -> Iterator[Finding]:
    used, most = int(info.get("used_memory", 0)), int(info.get("maxmemory", 0))
    text = f"{size_text(used)} used"
    if not most:
        advice = "set maxmemory below what the machine has: without it the kernel ends the engine"
        yield Finding("ok", "memory", f"{text}, maxmemory is not set", advice)
        return
    share = used / most
    text += f" of {size_text(most)}, {share:.0%}"
    if share < NEAR_SHARE:
        yield Finding("ok", "memory", text)
        return
    advice = "raise maxmemory, or keep executions for a shorter time (keep_finished_seconds): "
    advice += "when it is reached publishers wait, and drop their oldest records in the end"
    yield Finding("error" if share >= _FULL_SHARE else "warning", "memory", text, advice)


def _replicas(info: Mapping[str, str]) -> Iterator[Finding]:
    count = int(info.get("connected_slaves", 0))
    if count:
        yield Finding(
            "ok", "replicas", f"{count} {'replica' if count == 1 else 'replicas'} in contact"
        )
    else:
        advice = "start one: if this primary is lost, so is what it holds"
        yield Finding("warning", "replicas", "no replica is in contact", advice)


def size_text(count: float) -> str:
    for unit in ("bytes", "KiB", "MiB"):
        if count < 1024:
            return f"{count:.4g} {unit}"
        count /= 1024
    return f"{count:.4g} GiB"
