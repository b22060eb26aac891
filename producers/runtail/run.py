"""One execution as the worker holds it: log into it, report progress, leave it."""

from __future__ import annotations

import asyncio
import concurrent.futures
import traceback
from collections.abc import Iterable, Mapping
from types import TracebackType
from typing import Any, Final, Self

import orjson

from runtail.ask import Leave
from runtail.buffer import Buffer
from runtail.bundle import bundled
from runtail.courier import Courier
from runtail.journal import Journal
from runtail.pending import Bundle, Logged, Progress
from runtail.settings import PublisherSettings
from runtail_broker.errors import InvalidRecord
from runtail_broker.record import TERMINAL, Record, encode, encode_ready

_CANCELLATIONS: Final = (KeyboardInterrupt, GeneratorExit, asyncio.CancelledError)


class Execution:
    """An execution that this worker has open; leave it by `with`, `async with` or `finish`.

    Every method is safe from any thread, costs some microseconds and never raises for what it is
    given: a record that cannot be encoded becomes one that says so. What the caller changes after
    a call does not change the log. Leaving does not wait; `Publisher.flush` does.

    Leaving the block completes an execution that this worker owns; an exception makes it failed
    (KeyboardInterrupt and CancelledError: cancelled) and passes through, after an error record with
    its traceback.
    """

    def __init__(
        self, journal: Journal, buffer: Buffer, courier: Courier, settings: PublisherSettings
    ) -> None:
        self._journal, self._buffer, self._courier = journal, buffer, courier
        self._settings = settings
        self._opened = courier.enrol(journal)

    @property
    def id(self) -> str:
        """The execution's id: the one asked for, unless that has finished before (see `opened`)."""
        return self._journal.execution_id

    @property
    def cancel_requested(self) -> bool:
        """Whether somebody asked the workflow to stop, as of the engine's last answer."""
        return self._journal.cancel

    def opened(self, timeout: float | None = 5.0) -> bool:
        """Wait until the engine knows the execution, and `id` is final; False after *timeout*."""
        done, _ = concurrent.futures.wait([self._opened], timeout)
        return bool(done) and not self._opened.cancelled()

    async def until_opened(self, timeout: float | None = 5.0) -> bool:
        """Do what `opened` does, without blocking the event loop."""
        await asyncio.wait([asyncio.wrap_future(self._opened)], timeout=timeout)
        return self._opened.done() and not self._opened.cancelled()

    # ---- records

    def debug(self, message: object, **fields: Any) -> None:
        """Publish a log record of level debug; see `log`."""
        self.log("debug", message, **fields)

    def info(self, message: object, **fields: Any) -> None:
        """Publish a log record of level info; see `log`."""
        self.log("info", message, **fields)

    def warning(self, message: object, **fields: Any) -> None:
        """Publish a log record of level warning; see `log`."""
        self.log("warning", message, **fields)

    def error(self, message: object, **fields: Any) -> None:
        """Publish a log record of level error; see `log`."""
        self.log("error", message, **fields)

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
        record: dict[str, object] = {"level": level, "message": message}
        if step_name is not None:
            record["step_name"] = step_name
        if step_type is not None:
            record["step_type"] = step_type
        if input_data is not None:
            record["input_data"] = input_data
        if output_data is not None:
            record["output_data"] = output_data
        if duration_ms is not None:
            record["duration_ms"] = duration_ms
        if error_message is not None:
            record["error_message"] = error_message
        if fields:
            record |= fields
        self.record("log", record)

    def record(self, kind: str, fields: Mapping[str, object]) -> None:
        """Publish a record of another *kind*: `step`, `metric`, `link` or `plan` (or `log`)."""
        try:
            encoded = encode(
                self._journal.execution_id,
                fields,
                kind=kind,
                max_bytes=self._settings.max_record_bytes,
            )
        except Exception as error:  # noqa: BLE001 - a worker's own values may raise anything
            encoded = self._noted(fields, error)
        self._add(encoded)

    def write(self, records: Iterable[bytes | Mapping[str, object]]) -> None:
        """Publish log records that are ready: JSON objects as bytes, or mappings."""
        at_once = isinstance(records, list | tuple)  # another iterable may take its time
        settings = self._settings
        for logged in bundled(
            self._journal.execution_id,
            records,
            most=settings.bundle_records if at_once else 1,
            max_bytes=settings.max_frame_bytes,
            max_record_bytes=settings.max_record_bytes,
        ):
            match logged:
                case Bundle():
                    self._add(logged)
                case bytes():
                    self._write_ready(logged)
                case _:
                    self.record("log", logged)

    def progress(self, percent: float | None, **fields: object) -> None:
        """Report progress, 0 to 100; None when there is some but nobody knows how much."""
        try:
            value = orjson.dumps(None if percent is None else float(percent)).decode()
            record = encode(
                self._journal.execution_id,
                {"progress": percent, **fields},
                kind="progress",
                max_bytes=self._settings.max_record_bytes,
            )
            encoded: Record = Progress(record.json, None, value)
        except Exception as error:  # noqa: BLE001 - a worker's own values may raise anything
            encoded = self._noted({"progress": percent, **fields}, error)
        self._add(encoded)

    def _write_ready(self, ready: bytes) -> None:
        try:
            encoded = encode_ready(
                self._journal.execution_id, ready, max_bytes=self._settings.max_record_bytes
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
            note = f"{type(error).__name__}: {error}"[:1000]
        except Exception as worse:  # noqa: BLE001 - a worker's own __repr__ may raise anything
            text, note = f"<{type(given).__name__}>", f"its repr raised {type(worse).__name__}"
        return encode(
            self._journal.execution_id,
            {"level": "info", "message": text, "note": note},
            max_bytes=self._settings.max_record_bytes,
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
        self._journal.leave(leave)
        self._courier.notice(self._journal)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if error is None or (isinstance(error, SystemExit) and error.code in (None, 0)):
            self.leave(Leave("completed"))
        elif isinstance(error, _CANCELLATIONS):
            self.leave(Leave("cancelled", type(error).__name__))
        else:
            self._fail(error)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.__exit__(kind, error, trace)

    def _fail(self, error: BaseException) -> None:
        try:
            reason = f"{type(error).__name__}: {error}"
            text = "".join(traceback.format_exception(error))
        except Exception as worse:  # noqa: BLE001 - an exception's own __str__ may raise anything
            reason = text = f"{type(error).__name__} (its text raised {type(worse).__name__})"
        self.error(reason, error_message=text)
        self.leave(Leave("failed", reason[:1000]))
