"""Run scripts at one node in one round trip, and wait there until what they did is safe."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Final

from redis.asyncio import Redis
from redis.exceptions import (
    AskError,
    ClusterDownError,
    ConnectionError,
    MasterDownError,
    NoScriptError,
    ReadOnlyError,
    RedisError,
    ResponseError,
    TimeoutError,
    TryAgainError,
)

from runtail_broker.acks import Acks
from runtail_broker.errors import EngineRefused, NotSafe, RuntailError, Unavailable
from runtail_broker.script import Answer, Call

_AWAY: Final = (
    *(ConnectionError, TimeoutError, OSError),
    *(ClusterDownError, MasterDownError, ReadOnlyError, TryAgainError, AskError),
)
# what redis-py has no class for: too few replicas to write (`min-replicas-to-write`); a script that
# needs a key which is not there while its slot moves
_AWAY_TEXTS: Final = ("NOREPLICAS", "ttempted to access a non local key")
_STORING: Final = ("publish", "open", "close", "finish")
_EXISTING_MS: Final = 1000


async def run_at(
    node: Redis,
    calls: Sequence[Call],
    *,
    replicated: bool,
    acks: Acks,
    waiting: Callable[[Redis], Redis],
    asking: bool = False,
) -> list[Any]:
    """Run *calls* at *node*; what was answered, errors included.

    With *replicated*, wait a second at most for the replicas that exist. What *acks* wants and is
    not so is NotSafe in place of an answer. *waiting* gives the client of a node that may be kept
    waiting; *asking* is for a node that their slot is moving to. Raises Unavailable or
    EngineRefused if nothing was answered.
    """
    waits: list[tuple[str | int, ...]] = []
    if replicated and (replicas := await _replicas(node)):
        waits.append(("WAIT", replicas, _EXISTING_MS))
    if acks.command and any(call.script.name in _STORING for call in calls):
        waits.append(acks.command)
        node = waiting(node)
    results, waited = await _run(node, calls, waits, asking)
    missing = [i for i, result in enumerate(results) if isinstance(result, NoScriptError)]
    if missing:
        for text in {calls[i].script.text for i in missing}:
            await _load(node, text)
        # from there on all of them: a later call may have been answered as if the first had
        # failed, and every script recognises what it has done before
        first = missing[0]
        results[first:], waited = await _run(node, calls[first:], waits, asking)
    if acks.command in waits:
        return await _judged(node, calls, results, acks, waited[-1])
    return results


def answer_of(result: Any) -> Answer | RuntailError:
    """Read what one call was answered."""
    if isinstance(result, RuntailError):
        return result
    if isinstance(result, Exception):
        return translated(result)
    return Answer.read(result)


def translated(error: Exception) -> RuntailError:
    """Say what an error of the client library means: away, or refused."""
    text = str(error) or type(error).__name__
    away = isinstance(error, _AWAY) or any(each in text for each in _AWAY_TEXTS)
    return Unavailable(text) if away else EngineRefused(text)


async def _run(
    node: Redis, calls: Sequence[Call], waits: Sequence[tuple[str | int, ...]], asking: bool
) -> tuple[list[Any], list[Any]]:
    pipe = node.pipeline(transaction=False)
    for call in calls:
        # where a slot is moving to, a call that names several keys has to wait until all are there
        keys = call.keys[:1] if asking else call.keys
        if asking:
            pipe.execute_command("ASKING")
        pipe.evalsha(call.script.sha, len(keys), *keys, *call.arguments)
    for wait in waits:
        pipe.execute_command(*wait)
    try:
        results: list[Any] = await pipe.execute(raise_on_error=False)
    except (RedisError, OSError) as error:
        raise translated(error) from error
    answers, waited = results[: len(results) - len(waits)], results[len(results) - len(waits) :]
    return (answers[1::2] if asking else answers), waited


async def _load(node: Redis, text: str) -> None:
    try:
        await node.script_load(text)
    except (RedisError, OSError) as error:
        raise translated(error) from error


async def _replicas(node: Redis) -> int:
    """Count the replicas that *node* has now."""
    try:
        role = await node.execute_command("ROLE")
    except ResponseError:
        return 0  # an engine without the command has no replicas either
    except (RedisError, OSError) as error:
        raise translated(error) from error
    return len(role[2]) if role[0] in (b"master", "master") else 0


async def _judged(
    node: Redis, calls: Sequence[Call], results: Sequence[Any], acks: Acks, reply: Any
) -> list[Any]:
    """Put what is wrong in place of what was stored, unless *reply* says that it is safe."""
    if isinstance(reply, Exception):
        refused = await _refusal(node, acks, reply)
        if refused is None:
            return list(results)
        error: RuntailError = refused
    elif missing := acks.missing(reply):
        error = NotSafe(str(acks), missing, acks.seconds)
    else:
        return list(results)
    return [
        error if call.script.name in _STORING and not isinstance(result, Exception) else result
        for call, result in zip(calls, results, strict=True)
    ]


async def _refusal(node: Redis, acks: Acks, error: Exception) -> RuntailError | None:
    """Say what it means that the engine cannot wait; None where every answer is safe as it is."""
    if acks.where != "disk" or not isinstance(error, ResponseError):
        return translated(error)
    if "unknown command" in str(error).lower() and await _syncs_always(node):
        return None  # before 7.2: such an engine answers only when it is on disk
    return EngineRefused(
        f"acks is disk, and the engine cannot say what is on its disk ({error}): expected "
        "appendonly yes, and Redis 7.2 or later, any Valkey, or appendfsync always"
    )


async def _syncs_always(node: Redis) -> bool:
    try:
        told = await node.config_get("append*")
    except (RedisError, OSError):
        return False
    return (told.get("appendonly"), told.get("appendfsync")) == ("yes", "always")
