"""Where engines are: the address in a data folder, its lock, and the register of a user's engines.

A data folder holds `engine.lock`, held (flock) by the engine's processes and so free when they are
gone, however they went, and `engine.json`, the address. The register holds a copy of each address,
so that a worker finds an engine whose data folder it was never told.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import socket
import sys
from collections.abc import Iterator
from dataclasses import dataclass, fields
from pathlib import Path
from urllib.parse import quote

if sys.platform != "win32":
    import fcntl

ANSWER_SECONDS = 1.0  # for an engine on this machine to answer a PING


@dataclass(frozen=True, slots=True)
class Address:
    """A started engine; *port* is 0 when it listens on its socket alone."""

    data: str
    socket: str
    port: int
    host: str
    started_ns: int
    pid: int = 0

    @property
    def url(self) -> str:
        return "unix://" + quote(os.fsencode(self.socket))

    @property
    def tcp_url(self) -> str | None:
        return f"redis://127.0.0.1:{self.port}" if self.port else None

    def answers(self) -> bool:
        """Say whether the engine takes commands; False while it still loads its data."""
        try:
            with socket.socket(socket.AF_UNIX) as link:
                link.settimeout(ANSWER_SECONDS)
                link.connect(self.socket)
                link.sendall(b"PING\r\n")
                reply = link.recv(64)
        except OSError:
            return False
        return reply != b"" and not reply.startswith(b"-LOADING")


def address_file(data: Path) -> Path:
    return data / "engine.json"


def read_address(path: Path) -> Address | None:
    """Return what *path* says, None if it is not there or not an address."""
    try:
        told = json.loads(path.read_bytes())
        return Address(**{field.name: told[field.name] for field in fields(Address)})
    except (OSError, ValueError, KeyError, TypeError):
        return None


def running(data: Path) -> Address | None:
    """Return the address of the engine that answers for the folder *data*, None if none does."""
    address = read_address(address_file(data))
    return address if address and address.answers() else None


def take_lock(data: Path) -> int | None:
    """Return a descriptor that holds the folder's lock until it is closed, None if it is held."""
    descriptor = os.open(data / "engine.lock", os.O_RDWR | os.O_CREAT, 0o600)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        os.close(descriptor)
        if isinstance(error, BlockingIOError):
            return None
        raise
    return descriptor


def default_data() -> Path:
    """`$RUNTAIL_DATA`, else `$XDG_DATA_HOME/runtail`, else `~/.local/share/runtail`."""
    if told := os.environ.get("RUNTAIL_DATA"):
        return absolute(Path(told))
    home = os.environ.get("XDG_DATA_HOME")
    return absolute(Path(home) if home else _home() / ".local/share") / "runtail"


def register() -> Path:
    """`$XDG_STATE_HOME/runtail/engines`, else `~/.local/state/runtail/engines`.

    Not `$XDG_RUNTIME_DIR`: a login has it, a cron job or a service of the same user has not, and
    the two would look in different places.
    """
    home = os.environ.get("XDG_STATE_HOME")
    return absolute(Path(home) if home else _home() / ".local/state") / "runtail/engines"


def _home() -> Path:
    try:
        return Path.home()
    except RuntimeError:  # a user id without a name, as in many containers, which have `/` then
        return Path("/")


def register_file(data: Path) -> Path:
    return register() / f"{digest(data)}.json"


def digest(data: Path) -> str:
    """Name the folder in 16 characters, the same in every process."""
    return hashlib.sha256(os.fsencode(data)).hexdigest()[:16]


def absolute(path: Path) -> Path:
    return path.expanduser().resolve()


def find_engine(data: Path | None = None) -> str | None:
    """Return the URL of an engine that is running on this machine, for a worker with no address.

    With *data*, or else `$RUNTAIL_DATA`, only the engine of that folder counts; else the one that
    was started last of all that this user has running, whatever their folders. Never raises for
    what others left behind; removes register entries whose engine is provably gone.
    """
    if sys.platform == "win32":
        return None
    try:
        if data is not None or os.environ.get("RUNTAIL_DATA"):
            address = running(absolute(data) if data is not None else default_data())
        else:
            address = _newest()
    except RuntimeError:  # `~somebody` that nobody is
        return None
    return address.url if address else None


def _newest() -> Address | None:
    living = list(_living())
    default = running(default_data())  # it counts even if its keeper could not write the register
    living += [default] if default else []
    return max(living, key=lambda address: address.started_ns, default=None)


def _living() -> Iterator[Address]:
    for path in register().glob("*.json"):
        address = read_address(path)
        if address and address.answers():
            yield address
        elif address and address.host == socket.gethostname():
            _sweep(path, Path(address.data))


def _sweep(path: Path, data: Path) -> None:
    """Remove the entry *path* unless an engine holds the lock of *data*: it may only be busy."""
    with contextlib.suppress(OSError):
        if not data.is_dir():
            path.unlink(missing_ok=True)
        elif (lock := take_lock(data)) is not None:
            path.unlink(missing_ok=True)  # under the lock, so that it is no newcomer's entry
            os.close(lock)
