"""Say what went wrong as a state with data: the broker's errors, each with the value in it."""

from __future__ import annotations


class RuntailError(Exception):
    """Everything that runtail raises of its own accord derives from this."""


class InvalidExecutionId(RuntailError, ValueError):
    """An execution id that cannot be a key."""

    def __init__(self, text: str) -> None:
        self.text = text
        super().__init__(
            f"execution id {text[:200]!r}{'…' if len(text) > 200 else ''} is not valid, expected "
            "1 to 128 letters, digits or . _ - : @ + ~ and a letter or digit first"
        )


class InvalidCursor(RuntailError, ValueError):
    """A cursor that is none."""

    def __init__(self, text: str) -> None:
        self.text = text
        super().__init__(
            f"cursor {text[:200]!r} is not valid, expected <ms>-<n>:<seq>:<8 hex digits> "
            "or <ms>-<n>"
        )


class InvalidRecord(RuntailError, ValueError):
    """A record that cannot be stored as it is; *reason* says why, *text* begins what was given."""

    def __init__(self, reason: str, text: str = "") -> None:
        self.reason, self.text = reason, text[:200]
        super().__init__(f"record {self.text!r} {reason}" if text else f"record {reason}")


class InvalidFrame(RuntailError, ValueError):
    """A stored frame that is damaged, of another version, or expands beyond the limit."""


class NewerFormat(RuntailError, ValueError):
    """Something that was written by a newer runtail, which this one cannot read."""

    def __init__(self, what: str, version: int, known: int) -> None:
        self.version = version
        super().__init__(
            f"{what} has version {version}, expected at most {known}: a newer runtail wrote it"
        )


class FrameTooLarge(InvalidFrame):
    """A frame that holds more than the reader takes."""


class ExecutionNotFound(RuntailError, LookupError):
    """The engine holds no execution of this id."""

    def __init__(self, execution_id: str) -> None:
        self.execution_id = execution_id
        super().__init__(f"execution {execution_id!r} does not exist")


class TooManyPublishers(RuntailError):
    """An execution has as many publishers as the setting `max_publishers` allows."""

    def __init__(self, execution_id: str, limit: int) -> None:
        self.execution_id, self.limit = execution_id, limit
        super().__init__(
            f"execution {execution_id!r} has {limit} publishers already, the most allowed"
        )


class EngineRefused(RuntailError):
    """The engine answered with an error that trying again would not change."""


class Unavailable(RuntailError):
    """The engine did not answer, or not usefully; nothing is known about what was asked."""


class ArchiveUnavailable(Unavailable):
    """The store that holds the archive did not answer, or there is none here."""


class ArchiveDamaged(RuntailError):
    """An archived part is not what was written; nothing of it may be shown."""

    def __init__(self, name: str, what: str) -> None:
        self.name, self.what = name, what
        super().__init__(f"archive {name!r} is damaged: {what}")


class ArchiveMissing(ArchiveDamaged):
    """An archived part that is not in the store."""

    def __init__(self, name: str) -> None:
        super().__init__(name, "it is not there")


class NotSafe(Unavailable):
    """Stored, but within *seconds* not as safe as *acks* wants; *missing* says what there is.

    Who sends it again is answered when it is safe.
    """

    def __init__(self, acks: str, missing: str, seconds: float) -> None:
        self.acks, self.missing, self.seconds = acks, missing, seconds
        super().__init__(f"stored, but acks is {acks} and after {seconds:g} s {missing}")
