"""The engine that contenders share, one after the other: empty for each, in memory and on disk."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from redis import Redis
from tests.bench.contender import Engine, Served
from tests.polling import until

from runtail_broker.engines.engine import start_engine


@contextmanager
def started(folder: Path) -> Iterator[Engine]:
    """Run the embedded engine; its append-only file is not rewritten while something is measured.

    A rewrite in a measurement would take a core for a while, and make the file smaller than what
    was written to it.
    """
    with start_engine(folder) as engine, Redis.from_url(engine.url) as redis:
        redis.config_set("auto-aof-rewrite-percentage", 0)
        yield Engine(engine.url, redis.info("server")["process_id"], folder)


def emptied(engine: Engine) -> None:
    """Forget all keys, and wait until memory and file are as small as they get."""
    with Redis.from_url(engine.url) as redis:
        redis.execute_command("FLUSHALL", "SYNC")  # else it goes on in a thread for a while
        redis.bgrewriteaof()
        time.sleep(0.01)
        until(lambda: not _rewriting(redis), "the file is rewritten", 10)


def kept(engine: Engine) -> dict[str, float]:
    """Bytes of memory and of file that the engine holds now."""
    with Redis.from_url(engine.url) as redis:
        if _rewriting(redis):
            raise RuntimeError("the file is being rewritten, expected nobody to ask for it")
        memory, file = redis.info("memory"), redis.info("persistence")
    return {"memory": memory["used_memory"], "file": file["aof_current_size"]}


def bytes_of_keys(engine: Engine) -> int:
    """Bytes of memory that all keys take."""
    with Redis.from_url(engine.url) as redis:
        return sum(redis.memory_usage(key, samples=0) or 0 for key in redis.scan_iter())


def bytes_of_files(served: Served) -> int:
    """Bytes of the blocks in which a store that is not the engine keeps its records."""
    return sum(file.stat().st_size for file in Path(served.feed["folder"]).rglob("*.blk"))


def _rewriting(redis: Redis) -> bool:
    info = redis.info("persistence")
    return bool(info["aof_rewrite_in_progress"] or info["aof_rewrite_scheduled"])
