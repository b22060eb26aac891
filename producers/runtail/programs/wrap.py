"""Follow a program until it has ended: its output to the terminal and, line by line, to a log."""

from __future__ import annotations

import contextlib
import os
import select
import selectors
import signal
import subprocess
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, fields
from typing import Final, Protocol

from runtail.masks.stream_masker import BytesMasker
from runtail.programs.line_record import Fields, Recording, Stream, by_level
from runtail.programs.lines import Line, Lines, LineSettings
from runtail.programs.wrapped import Child, Source, raw_keyboard

_READ_BYTES: Final = 64 * 1024
_KEY_BYTES: Final = 256
_PAUSE_SECONDS: Final = 0.005
_LOOK_SECONDS: Final = 0.1  # between two looks whether the program ended or is to be cancelled


@dataclass(frozen=True, slots=True)
class WrapSettings:
    """The bounds of a wrapped program. All must be above 0; anything else raises ValueError."""

    lines: LineSettings = field(default_factory=LineSettings)
    """The bounds of its lines."""
    cancel_grace_seconds: float = 10.0
    """Time between SIGTERM and SIGKILL when somebody asked to cancel."""
    drain_seconds: float = 2.0
    """How long output is awaited from processes that the program left behind."""
    flush_seconds: float = 5.0
    """How long the end waits until everything is stored."""
    opening_seconds: float = 1.0
    """How long the start waits for the name of an execution that may have finished before."""

    def __post_init__(self) -> None:
        for one in fields(self):
            value = getattr(self, one.name)
            if one.name != "lines" and not value > 0:
                raise ValueError(f"{one.name} is {value}, expected more than 0")


@dataclass(frozen=True, slots=True)
class Outcome:
    """How a program ended: its exit code, or the signal that ended it as a negative number."""

    returncode: int
    cancelled: bool = False

    @property
    def status(self) -> str:
        """The execution's final status."""
        if self.cancelled or self.returncode == -signal.SIGINT:
            return "cancelled"  # as a worker in Python that KeyboardInterrupt ends
        return "completed" if self.returncode == 0 else "failed"

    @property
    def reason(self) -> str:
        """The final status's reason; '' if it needs none."""
        if self.returncode < 0:
            ended = f"signal {_signal_name(-self.returncode)} ({-self.returncode})"
        else:
            ended = f"exit code {self.returncode}"
        if self.cancelled:
            return f"cancel requested, {ended}"
        return ended if self.returncode else ""

    @property
    def exit_code(self) -> int:
        """What a shell would say: 128 + n for the signal n."""
        return self.returncode if self.returncode >= 0 else 128 - self.returncode


def _signal_name(number: int) -> str:
    try:
        return signal.Signals(number).name
    except ValueError:
        return f"SIGRTMIN+{number - signal.SIGRTMIN}"


@dataclass(slots=True, eq=False)
class _Stream:
    """One source while it is open."""

    source: Source
    lines: Lines
    echoes: bool
    masker: BytesMasker = field(default_factory=BytesMasker)


class Log(Protocol):
    """Where the lines go: an execution."""

    def write(self, records: Sequence[Fields], /) -> None:
        """Take logs."""

    def write_lines(self, texts: Sequence[str], level: str, fields: Mapping[str, str], /) -> None:
        """Take logs that differ in their message only."""


class Follower:
    """Follow *child* to its end; give what becomes of its output to *log*, in order of reading.

    *cancelled* is asked ten times a second or more, *must_wait* before each read while the program
    runs. With *echo* the output also goes where it would have gone; when nobody reads there any
    more, a pipe is closed, so that the program hears of it.
    """

    def __init__(
        self,
        child: Child,
        log: Log,
        cancelled: Callable[[], bool],
        *,
        must_wait: Callable[[], bool] = lambda: False,
        recording: Recording | None = None,
        settings: WrapSettings | None = None,
        echo: bool = True,
    ) -> None:
        self._child, self._log, self._cancelled = child, log, cancelled
        self._must_wait = must_wait
        self._settings, self._recording = settings or WrapSettings(), recording or Recording()
        whole = b"{" if self._recording.as_json else None
        self._streams = [
            _Stream(source, Lines(self._settings.lines, whole), echo) for source in child.sources
        ]
        self._selector = selectors.DefaultSelector()
        self._kill_at: float | None = None
        self.left_behind = False
        """Whether a process that outlived the program still held its output at the end."""

    def follow(self) -> Outcome:
        """Return when the program has ended and its output was read."""
        with self._selector, raw_keyboard(self._child.keyboard):
            for stream in self._streams:
                self._selector.register(stream.source.descriptor, selectors.EVENT_READ, stream)
            if self._child.keyboard is not None:
                self._selector.register(self._child.keyboard, selectors.EVENT_READ)
            self._while_running()
            self._drain()
            for stream in list(self._streams):
                self._close(stream)
        return Outcome(self._child.process.wait(), self._kill_at is not None)

    def _while_running(self) -> None:
        while self._child.process.poll() is None:
            if self._streams and self._must_wait():
                time.sleep(_PAUSE_SECONDS)  # what the program writes meanwhile waits in its pipe
            elif self._streams:
                self._turn(_LOOK_SECONDS)
            else:
                with contextlib.suppress(subprocess.TimeoutExpired):
                    self._child.process.wait(_LOOK_SECONDS)
            self._look(time.monotonic())

    def _drain(self) -> None:
        """Read what is left; a grandchild that holds the pipe for ever must not hold us."""
        deadline = time.monotonic() + self._settings.drain_seconds
        while self._streams and (left := deadline - time.monotonic()) > 0:
            self._turn(min(left, _LOOK_SECONDS))
        self.left_behind = bool(self._streams)

    def _turn(self, timeout: float) -> None:
        """Wait for output at most *timeout* seconds; take what there is, then what is due."""
        now = time.monotonic()
        dues = [due for stream in self._streams if (due := stream.lines.due()) is not None]
        wait = max(0.0, min([timeout, *(due - now for due in dues)]))
        ready = [key for key, _ in self._selector.select(wait)]
        for key in ready:
            if isinstance(key.data, _Stream):
                self._read(key.data)
            else:
                self._type(key.fd)
        now, busy = time.monotonic(), [key.data for key in ready]
        for stream in self._streams:
            if stream not in busy:  # else the rest of its line may be waiting to be read
                self._record(stream.lines.tick(now), stream.source.stream)

    def _look(self, now: float) -> None:
        """Cancel if somebody asked for it: gently, then not."""
        if self._kill_at is None:
            if self._cancelled():
                self._kill_at = now + self._settings.cancel_grace_seconds
                self._child.signal(signal.SIGTERM)
        elif now >= self._kill_at:
            self._child.signal(signal.SIGKILL)

    def _read(self, stream: _Stream) -> None:
        try:
            data = os.read(stream.source.descriptor, _READ_BYTES)
        except BlockingIOError:
            return
        except OSError:  # EIO: how a pty says that nobody has its other side open any more
            data = b""
        if not data:
            self._close(stream)
            return
        unread = stream.echoes and not self._echo(stream, data)
        # before it is cut into lines and parts: a secret may go on in the next one
        shown = stream.masker.feed(data)
        self._take(stream, shown, time.monotonic())
        if unread:
            self._close(stream)

    def _take(self, stream: _Stream, data: bytes, now: float) -> None:
        """Record the lines that *data* ends; whole ones, as most are, all at once."""
        source, lines = stream.source.stream, stream.lines
        plain: list[str] = []
        if not self._recording.as_json:
            data, plain, rest = lines.cut(data)
        self._record(lines.feed(data, now), source)
        if plain:
            fields = self._recording.fields(source)
            for level, texts in by_level(plain, source):
                self._log.write_lines(texts, level, fields)
            self._record(lines.feed(rest, now), source)

    def _echo(self, stream: _Stream, data: bytes) -> bool:
        """Show *data*; False if the program should hear, by SIGPIPE, that its reader has gone."""
        try:
            echo(stream.source.echo, data)
        except OSError as error:
            stream.echoes = False  # a terminal that is gone does not end the record of the run
            return stream.source.stream == "pty" or not isinstance(error, BrokenPipeError)
        return True

    def _type(self, keyboard: int) -> None:
        keys = b""
        with contextlib.suppress(OSError):  # the terminal is gone; SIGHUP says so too
            keys = os.read(keyboard, _KEY_BYTES)
        if keys:
            self._child.type(keys)
        else:
            self._selector.unregister(keyboard)

    def _close(self, stream: _Stream) -> None:
        rest = stream.lines.feed(stream.masker.flush(), time.monotonic())
        self._record([*rest, *stream.lines.end()], stream.source.stream)
        self._streams.remove(stream)
        self._selector.unregister(stream.source.descriptor)
        self._close_descriptor(stream.source)

    def _close_descriptor(self, source: Source) -> None:
        process = self._child.process
        match source.stream:
            case "stdout" if process.stdout is not None:
                process.stdout.close()
            case "stderr" if process.stderr is not None:
                process.stderr.close()
            case _:
                os.close(source.descriptor)

    def _record(self, lines: Sequence[Line], stream: Stream) -> None:
        if lines:
            self._log.write([self._recording.record(line, stream) for line in lines])


def echo(descriptor: int, data: bytes) -> None:
    """Write all of *data* as it is; raises OSError if that is not possible (any more)."""
    rest = memoryview(data)
    while rest:
        try:
            rest = rest[os.write(descriptor, rest) :]
        except BlockingIOError:  # somebody made the terminal non-blocking: it is shared
            select.select([], [descriptor], [])
