"""Say no to a viewer or a caller, in terms that both WebSocket and HTTP can tell. Pure: no I/O."""

from __future__ import annotations

from runtail_broker.errors import ArchiveDamaged, NewerFormat, RuntailError


class Refused(Exception):
    """A viewer that is not served: *close_code* tells it whether to come again.

    Over HTTP it is the *status* that says so.
    """

    def __init__(self, close_code: int, code: str, message: str, status: int = 400) -> None:
        self.close_code, self.code, self.message = close_code, code, message
        self.status = status
        super().__init__(message)


def refused_for(error: RuntailError) -> Refused:
    """Make what a viewer is told of *error*: to come again, unless that would change nothing.

    What a newer runtail wrote another gateway may be able to read.
    """
    match error:
        case NewerFormat():
            return Refused(4331, "newer_format", str(error), 501)
        case ArchiveDamaged():
            return Refused(4422, "damaged", str(error), 500)
    return Refused(4330, "unavailable", str(error), 503)
