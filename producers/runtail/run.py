"""One execution as the worker holds it: log into it, report progress, leave it."""

from __future__ import annotations

import asyncio
import concurrent.futures
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from types import TracebackType
from typing import Any, Final, Self

from runtail.async_too import AsyncToo
from runtail.capturing.otel import trace_fields
from runtail.context import Scope, enter, place_in
from runtail.context import leave as end_scope
from runtail.delivery.ask import Leave
from runtail.delivery.buffer import Buffer
from runtail.delivery.bundle import Bundler, bundled
from runtail.delivery.courier import Courier
from runtail.delivery.journal import Journal
from runtail.delivery.pending import Bundle, Logged
from runtail.masks.masking import masker
from runtail.outcome import ended_by, reason_of
from runtail.reports import Reports
from runtail.settings import PublisherSettings
from runtail.steps import named_by, told_once
from runtail_broker.errors import InvalidRecord
from runtail_broker.records.ready import encode_ready
from runtail_broker.records.record import TERMINAL, Record, encode, encode_plain

_OPTIONAL: Final = frozenset(
    {"step_name", "step_type", "input_data", "output_data", "duration_ms", "error_message"}
)  # fields of a log that None leaves out


class Execution(Reports, AsyncToo["Execution"]):
    """An execution that this worker has open; leave it by `with`, `async with` or `finish`.

    Every method is safe from any thread, costs some microseconds and never raises for what it is
    given: a record that cannot be encoded becomes one that says so. What the caller changes after
    a call does not change the log. Leaving does not wait; `Publisher.flush` does.

    Leaving the block completes an execution that this worker owns; an exception makes it failed
    (KeyboardInterrupt and CancelledError: cancelled) and passes through, after an error record with
    its traceback, or with the step that has told it already. Inside the block it is
    `runtail.current()`; logs made inside a step carry its name, type and id.
    """

    def __init__(
        self, journal: Journal, buffer: Buffer, courier: Courier, settings: PublisherSettings
    ) -> None:
        self._mask = masker(settings.mask_keys)
        super().__init__(settings, courier.later, self._mask.text)
        self._journal, self._buffer, self._courier = journal, buffer, courier
        self._settings, self._max_record_bytes = settings, settings.max_record_bytes
        self._bundler = Bundler(self._mask, settings)
        self._scopes: list[Scope] = []
        self._opened = courier.enrol(journal)

    @property
    def id(self) -> str:
        """The execution's id: the one asked for, unless that has finished before (see `opened`)."""
        return self._journal.execution_id

    @property
    def cancel_requested(self) -> bool:
        """Whether somebody asked the workflow to stop, as of the engine's last answer.

        Who looks at it, or has called `on_cancel`, is shown as somebody who can be asked.
        """
        self._listen()
        return self._journal.cancel

    def _listen(self) -> None:
        if not self._journal.listens:
            self._journal.listen()
            self._courier.notice(self._journal)

    def opened(self, timeout: float | None = 5.0) -> bool:
        """Wait until the engine knows the execution, and `id` is final; False after *timeout*."""
        done, _ = concurrent.futures.wait([self._opened], timeout)
        return bool(done) and not self._opened.cancelled()

    async def until_opened(self, timeout: float | None = 5.0) -> bool:
        """Do what `opened` does, without blocking the event loop."""
        await asyncio.wait([asyncio.wrap_future(self._opened)], timeout=timeout)
        return self._opened.done() and not self._opened.cancelled()

    def on_cancel(self, callback: Callable[[], object]) -> None:
        """Call *callback* once, when the engine says that somebody asked the workflow to stop.

        It runs in the publisher's thread and must be quick; what it raises is counted and told.
        """
        self._listen()
        self._courier.on_cancel(self._journal, callback)

    async def drain(self) -> None:
        """Wait until all that was published before is stored, however long it takes."""
        await asyncio.wrap_future(self._courier.flush([self._journal]))

    # ---- records

    def debug(self, message: object, **fields: Any) -> None:
        """Publish a log record of level debug; see `log`."""
        self._log("debug", {"message": message, **fields})

    def info(self, message: object, **fields: Any) -> None:
        """Publish a log record of level info; see `log`."""
        self._log("info", {"message": message, **fields})

    def warning(self, message: object, **fields: Any) -> None:
        """Publish a log record of level warning; see `log`."""
        self._log("warning", {"message": message, **fields})

    def error(self, message: object, **fields: Any) -> None:
        """Publish a log record of level error; see `log`."""
        self._log("error", {"message": message, **fields})

    def log(
        self,
        level: str,
        message: object,
        *,
        step_name: str | None = None,
        step_type: str | None = None,
        input_data: object = None,
        output_data: object = None,
        duration_ms: float | None = None,
        error_message: str | None = None,
        **fields: object,
    ) -> None:
        """Publish a log record; *fields* are the worker's own and pass through to the viewers."""
        named = {
            "step_name": step_name,
            "step_type": step_type,
            "input_data": input_data,
            "output_data": output_data,
            "duration_ms": duration_ms,
            "error_message": error_message,
        }
        given = {name: value for name, value in named.items() if value is not None}
        self._log(level, {"message": message, **given, **fields})

    def _log(self, level: str, fields: dict[str, object]) -> None:
        try:
            told = self._in_context("log", fields)
            encoded = encode_plain(
                self._journal.execution_id, level, told, self._max_record_bytes, self._mask
            )
        except Exception:  # noqa: BLE001 - a worker's own values may raise anything
            encoded = None
        if encoded is None:
            given = {n: v for n, v in fields.items() if v is not None or n not in _OPTIONAL}
            self.record("log", {"level": level, **given})
        else:
            self._buffer.add(self._journal, encoded)
            self._courier.added(self._journal)

    def record(self, kind: str, fields: Mapping[str, object]) -> None:
        """Publish a record of another *kind*: `step`, `metric`, `link` or `plan` (or `log`).

        A log that names no step carries the one that the code is in.
        """
        try:
            fields = self._in_context(kind, fields)
        except Exception as error:  # noqa: BLE001 - a worker's own mapping may raise anything
            self._add(self._noted(fields, error))
        else:
            self._add(self._encoded(kind, fields))

    def _in_context(self, kind: str, fields: Mapping[str, object]) -> Mapping[str, object]:
        """Say in which step, and in which span of OpenTelemetry, *fields* were made."""
        span = trace_fields()
        place = place_in(self) if kind == "log" and "step_name" not in fields else None
        if place is not None:
            return {**span, **named_by(place), **fields}
        return {**span, **fields} if span else fields

    def _encoded(self, kind: str, fields: Mapping[str, object]) -> Record:
        try:
            encoded = encode(
                self._journal.execution_id,
                fields,
                kind=kind,
                max_bytes=self._max_record_bytes,
                mask=self._mask,
            )
        except Exception as error:  # noqa: BLE001 - a worker's own values may raise anything
            encoded = self._noted(fields, error)
        return encoded

    def write(self, records: Iterable[bytes | Mapping[str, object]]) -> None:
        """Publish log records that are ready: JSON objects as bytes, or mappings."""
        if not isinstance(records, list | tuple):  # it may take its time: none waits for the next
            self._write_each(records, most=1)
            return
        for some in self._bundler.ready(self._journal.execution_id, list(records)):
            if isinstance(some, Bundle):
                self._add(some)
            else:
                self._write_each(some, most=self._settings.bundle_records)

    def write_lines(self, texts: Sequence[str], level: str, fields: Mapping[str, str]) -> None:
        """Publish a log of each of *texts*, with these *fields* and the time of now."""
        for some in self._bundler.lines(self._journal.execution_id, texts, level, fields):
            if isinstance(some, Bundle):
                self._add(some)
            else:
                for text in some:
                    self._log(level, {"message": text, **fields})

    def _write_each(self, records: Iterable[bytes | Mapping[str, object]], *, most: int) -> None:
        settings = self._settings
        for logged in bundled(
            self._journal.execution_id,
            (self._mask(each) if isinstance(each, bytes) else each for each in records),
            most=most,
            max_bytes=settings.max_frame_bytes,
            max_record_bytes=settings.max_record_bytes,
        ):
            match logged:
                case Bundle():
                    self._add(logged)
                case bytes():
                    self._write_ready(logged)
                case _:
                    self._add(self._encoded("log", logged))

    def _write_ready(self, ready: bytes) -> None:
        try:
            encoded = encode_ready(
                self._journal.execution_id,
                ready,
                max_bytes=self._max_record_bytes,
                mask=self._mask,
            )
        except (InvalidRecord, RecursionError) as error:
            encoded = self._noted(ready.decode(errors="backslashreplace"), error)
        self._add(encoded)

    def _add(self, logged: Logged) -> None:
        self._buffer.add(self._journal, logged)
        self._courier.added(self._journal)

    def _noted(self, given: object, error: Exception) -> Record:
        """Make a record of what could not be encoded: as text, with a note that says why."""
        self._buffer.count_malformed()
        message: Any = given
        if isinstance(given, Mapping) and isinstance(given.get("message"), str):
            message = given["message"]
        try:
            text = message if isinstance(message, str) else repr(message)
            note = self._mask.text(f"{type(error).__name__}: {error}")[:1000]
        except Exception as worse:  # noqa: BLE001 - a worker's own __repr__ may raise anything
            text, note = f"<{type(given).__name__}>", f"its repr raised {type(worse).__name__}"
        return encode(
            self._journal.execution_id,
            {"level": "info", "message": text, "note": note},
            max_bytes=self._max_record_bytes,
            mask=self._mask,
        )

    # ---- leaving

    def finish(self, status: str = "completed", reason: str = "") -> None:
        """Give the execution its final status (completed, failed, cancelled) and leave it.

        Counts from a participant too. The first word is final, here and for the engine.
        """
        if status not in TERMINAL:
            reason = f"finished with status {status!r}" + (f": {reason}" if reason else "")
            status = "failed"
        self.leave(Leave(status, reason, explicit=True))

    def leave(self, leave: Leave) -> None:
        """Leave once everything that was published before is stored; does not wait for it."""
        self._throttle.close()
        self._journal.leave(replace(leave, reason=self._mask.text(leave.reason)))
        self._courier.notice(self._journal)

    def begin_anew(self, publisher: str) -> None:
        """Take part as *publisher*, as a forked process must; what waits is its parent's."""
        self.forget_progress()
        self._journal.begin_anew(publisher)

    def _itself(self) -> Execution:
        return self

    def __enter__(self) -> Self:
        self.is_over = False
        self._scopes.append(enter(self))
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.is_over = True
        if self._scopes:
            end_scope(self._scopes.pop())
        match ended_by(error):
            case "failed" if error is not None:
                self._fail(error)
            case "cancelled":
                self.leave(Leave("cancelled", type(error).__name__))
            case _:
                self.leave(Leave("completed"))

    def _fail(self, error: BaseException) -> None:
        reason = reason_of(error, self.mask_text)
        told: dict[str, Any] = told_once(self, error)
        self.error(reason, **told)
        self.leave(Leave("failed", reason))
