"""Start a program with its output on pipes or on a pty, and hand signals on to it."""

from __future__ import annotations

import contextlib
import fcntl
import os
import pty
import signal
import struct
import subprocess
import termios
import tty
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from types import FrameType
from typing import Final, Protocol

from runtail.programs.line_record import Stream

FORWARDED: Final = (
    signal.SIGINT,
    signal.SIGTERM,
    signal.SIGHUP,
    signal.SIGQUIT,
    signal.SIGUSR1,
    signal.SIGUSR2,
    signal.SIGWINCH,
)
_OF_THE_TERMINAL: Final = (signal.SIGINT, signal.SIGQUIT, signal.SIGWINCH)
_WINDOW: Final = struct.pack("HHHH", 24, 80, 0, 0)  # where there is no terminal to ask


@dataclass(frozen=True, slots=True)
class Source:
    """A descriptor to read the program's output from, and where it belongs on our side."""

    descriptor: int
    stream: Stream
    echo: int


class Child:
    """A program that was started.

    In pipes it has a process group of its own, so that signals reach what it started too; but on a
    terminal it shares ours: the terminal itself signals the foreground group, and only that may
    read the keyboard. On a pty it has a session of its own.
    """

    def __init__(
        self,
        process: subprocess.Popen[bytes],
        sources: tuple[Source, ...],
        *,
        own_group: bool,
        keyboard: int | None = None,
    ) -> None:
        self.process, self.sources = process, sources
        self.keyboard = keyboard  # what to read and `type` on its pty
        self._own_group = own_group

    def signal(self, number: int) -> None:
        """Send the program, and its group if that is its own, a signal; not once it has ended."""
        if self.process.returncode is not None:
            return
        # it may end in this moment, or be another user's (sudo): then nobody can be told
        with contextlib.suppress(ProcessLookupError, PermissionError):
            if self._own_group:
                os.killpg(self.process.pid, number)
            else:
                os.kill(self.process.pid, number)

    def forward(self, number: int) -> None:
        """Hand on a signal that this process got, unless the program got it too."""
        if number == signal.SIGWINCH and self.sources[0].stream == "pty":
            self.resize()
        elif self._own_group or number not in _OF_THE_TERMINAL:
            self.signal(number)

    def resize(self) -> None:
        """Give the pty the size of our terminal; its kernel tells the program."""
        with contextlib.suppress(OSError):  # closed in this moment
            fcntl.ioctl(self.sources[0].descriptor, termios.TIOCSWINSZ, _window())

    def type(self, keys: bytes) -> None:
        """Type *keys* on the pty; like a terminal it drops what nobody reads for too long."""
        with contextlib.suppress(OSError):
            os.write(self.sources[0].descriptor, keys)


class Listener(Protocol):
    """Who is told of signals."""

    def forward(self, number: int) -> None:
        """Take a signal."""


class Signals:
    """Within its block, catch the signals to hand on; those that come before `to` wait for it.

    What this process was started to ignore (nohup) stays ignored. Use it in the main thread.
    """

    def __init__(self) -> None:
        self._child: Listener | None = None
        self._early: list[int] = []
        self._before: dict[signal.Signals, object] = {}

    def __enter__(self) -> Signals:
        for number in FORWARDED:
            if signal.getsignal(number) is not signal.SIG_IGN:
                self._before[number] = signal.signal(number, self._hear)
        return self

    def __exit__(self, *_: object) -> None:
        for number, before in self._before.items():
            signal.signal(number, before)  # type: ignore[arg-type]

    def to(self, child: Listener) -> None:
        """Hand signals on to *child* from now on."""
        self._child = child
        while self._early:
            child.forward(self._early.pop(0))

    def _hear(self, number: int, _: FrameType | None) -> None:
        if self._child is None:
            self._early.append(number)
        else:
            self._child.forward(number)


def start(command: Sequence[str], env: Mapping[str, str], *, on_pty: bool) -> Child:
    """Start *command*; raise OSError if that is not possible."""
    return _on_pty(command, env) if on_pty else _in_pipes(command, env)


def _in_pipes(command: Sequence[str], env: Mapping[str, str]) -> Child:
    shares = _in_foreground()
    process = subprocess.Popen(
        command,
        env=env,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        bufsize=0,
        process_group=None if shares else 0,
    )
    assert process.stdout is not None
    assert process.stderr is not None
    sources = (
        Source(process.stdout.fileno(), "stdout", 1),
        Source(process.stderr.fileno(), "stderr", 2),
    )
    return Child(process, sources, own_group=not shares)


def _on_pty(command: Sequence[str], env: Mapping[str, str]) -> Child:
    ours, theirs = pty.openpty()
    try:
        fcntl.ioctl(ours, termios.TIOCSWINSZ, _window())
        os.set_blocking(ours, False)
        types = os.isatty(0)
        process = subprocess.Popen(
            command,
            env=env,
            stdin=theirs if types else None,
            stdout=theirs,
            stderr=theirs,
            start_new_session=True,
            preexec_fn=_take_terminal,
        )
    except BaseException:
        os.close(ours)
        raise
    finally:
        os.close(theirs)
    source = Source(ours, "pty", 1)
    return Child(process, (source,), own_group=True, keyboard=0 if types else None)


def _take_terminal() -> None:
    fcntl.ioctl(1, termios.TIOCSCTTY, 0)


def _in_foreground() -> bool:
    """Whether we have a terminal, and our process group is the one it belongs to now."""
    try:
        terminal = os.open("/dev/tty", os.O_RDWR | os.O_NOCTTY)
    except OSError:
        return False
    try:
        return os.tcgetpgrp(terminal) == os.getpgrp()
    except OSError:
        return False
    finally:
        os.close(terminal)


def _window() -> bytes:
    """Return the size of our terminal, as the kernel packs it."""
    for descriptor in (1, 0, 2):
        with contextlib.suppress(OSError):
            return fcntl.ioctl(descriptor, termios.TIOCGWINSZ, _WINDOW)
    return _WINDOW


@contextlib.contextmanager
def raw_keyboard(descriptor: int | None) -> Iterator[None]:
    """Within its block, get every key at once and unseen: the program's pty echoes and signals."""
    if descriptor is None:
        yield
        return
    before = termios.tcgetattr(descriptor)
    tty.setraw(descriptor)
    try:
        yield
    finally:
        termios.tcsetattr(descriptor, termios.TCSADRAIN, before)


def die_by(number: int) -> None:
    """End this process by the signal *number*, as the program ended; return if it does not."""
    import resource

    # the program's core is the one worth having
    resource.setrlimit(resource.RLIMIT_CORE, (0, resource.getrlimit(resource.RLIMIT_CORE)[1]))
    with contextlib.suppress(OSError, ValueError):  # SIGKILL cannot be set, and need not be
        signal.signal(number, signal.SIG_DFL)
    os.kill(os.getpid(), number)
