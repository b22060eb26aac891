"""Say no to a viewer or a caller, in terms that both WebSocket and HTTP can tell. Pure: no I/O."""

from __future__ import annotations


class Refused(Exception):
    """A viewer that is not served: *close_code* tells it whether to come again.

    Over HTTP it is the *status* that says so.
    """

    def __init__(self, close_code: int, code: str, message: str, status: int = 400) -> None:
        self.close_code, self.code, self.message = close_code, code, message
        self.status = status
        super().__init__(message)
