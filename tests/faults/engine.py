"""An engine of the suite's own: a Valkey process with an append-only file, to be mistreated."""

from __future__ import annotations

import resource
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.engines import folder, free_port
from tests.faults.line_worker import Link
from tests.faults.scripts import CLOCK_KEY
from tests.polling import until
from tests.proxy import Proxy
from tests.server_process import Server, program_of

_LEFT_BYTES = 100  # of the disk, when it is as good as full


class Engine:
    """The process, and what can be done to it. All of it returns once it is done."""

    def __init__(self, server: Server) -> None:
        self._server = server
        self.frozen = False

    @property
    def url(self) -> str:
        return f"redis://127.0.0.1:{self._server.port}"

    def worker_link(self) -> Link:
        """Make a way for a worker."""
        return Proxy(self.url)

    def gateway_link(self) -> Link:
        """Make a way for a gateway."""
        return Proxy(self.url)

    def start(self) -> None:
        """Start it, with what its file holds."""
        self._server.start()
        until(self._server.answers, "the engine answers")

    def restart(self, *, cut_bytes: int = 0) -> None:
        """Kill it, cut so much from the end of its file, and start it again."""
        self._server.kill()
        if cut_bytes:
            _cut(self._file, cut_bytes)
        self.start()

    def freeze(self) -> None:
        """Stop the process; it stays connected."""
        self._server.freeze()
        self.frozen = True

    def thaw(self) -> None:
        """Let it go on."""
        self._server.thaw()
        self.frozen = False

    def ask(self, *command: str | int) -> None:
        """Run a command."""
        self._server.ask(*command)

    def set_clock(self, ms: int) -> None:
        """Let scripts see a clock that is off by *ms*."""
        self._server.ask("SET", CLOCK_KEY, ms)

    def fill(self) -> None:
        """Refuse whatever needs memory, as an engine does whose memory is full."""
        self._server.ask("CONFIG", "SET", "maxmemory", 1)

    def empty(self) -> None:
        """Have memory again."""
        self._server.ask("CONFIG", "SET", "maxmemory", 0)

    def fill_disk(self) -> None:
        """Let its file grow no more."""
        self._server.let_files_grow(self._file.stat().st_size + _LEFT_BYTES)

    def empty_disk(self) -> None:
        """Have room again."""
        self._server.let_files_grow()

    @property
    def resident_bytes(self) -> int:
        """What the process holds in memory."""
        assert self._server.process is not None
        return resident_bytes(self._server.process.pid)

    @property
    def _file(self) -> Path:
        return max(self._server.place.glob("appendonlydir/*.incr.aof"))

    def end(self) -> None:
        """End it."""
        if self.frozen:
            self.thaw()
        self._server.end()


def resident_bytes(pid: int | str = "self") -> int:
    """Read how much memory a process holds."""
    pages = int(Path(f"/proc/{pid}/statm").read_text().split()[1])
    return pages * resource.getpagesize()


def _cut(path: Path, size: int) -> None:
    with path.open("r+b") as file:
        file.truncate(max(0, path.stat().st_size - size))


@contextmanager
def engine() -> Iterator[Engine]:
    """Run one."""
    with folder() as place:
        port = free_port()
        options = {
            "port": str(port),
            "bind": "127.0.0.1",
            "dir": str(place),
            "logfile": str(place / "log"),
            "save": "",
            "appendonly": "yes",
            "appendfsync": "no",  # what was written survives a kill; the disk is not the subject
            "aof-load-truncated": "yes",
        }
        told = [part for name, value in options.items() for part in (f"--{name}", value)]
        running = Engine(Server([program_of("valkey"), *told], place, port, user=""))
        try:
            running.start()
            yield running
        finally:
            running.end()
