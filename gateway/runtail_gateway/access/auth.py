"""Decide who may do what to which execution. Pure: no I/O, no clock, no cryptography.

A refusal is a `Refused`: its close code tells a WebSocket what its status tells an HTTP client.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import Final, Literal

from runtail_gateway.protocol.refused import Refused

Scope = Literal["read", "publish", "admin"]
SCOPES: Final[tuple[Scope, ...]] = ("read", "publish", "admin")


@dataclass(frozen=True, slots=True)
class Grant:
    """What somebody may do, until when (seconds since 1970).

    `admin` includes the other scopes; `publish` does not include `read`. Patterns are those of a
    shell, upper and lower case apart; None allows all, and no pattern at all allows nothing.
    """

    subject: str = ""
    scopes: frozenset[Scope] = frozenset()
    executions: tuple[str, ...] | None = None
    workflows: tuple[str, ...] | None = None
    expires_at: float = math.inf

    def has(self, scope: Scope) -> bool:
        """Whether *scope* is granted for anything at all."""
        return scope in self.scopes or "admin" in self.scopes

    def names(self, execution_id: str) -> bool:
        """Whether the execution patterns let *execution_id* through."""
        return _matches(execution_id, self.executions)

    def covers(self, execution_id: str, workflow_id: str | None) -> bool:
        """Whether both kinds of pattern let an execution through.

        One of no workflow, or of one that is not known, is of none that a pattern could mean.
        """
        return self.names(execution_id) and _matches(workflow_id or "", self.workflows)

    @property
    def is_narrow(self) -> bool:
        """Whether there are executions that it does not cover."""
        return self.executions is not None or self.workflows is not None


ANYONE: Final = Grant(scopes=frozenset(SCOPES))
"""What everybody may who reaches a gateway where nobody signs in."""


def signed_out(message: str) -> Refused:
    """Refuse who sent no token, or none that is valid."""
    return Refused(4401, "signed_out", message, 401)


def expired(message: str) -> Refused:
    """Refuse a token whose time is over."""
    return Refused(4402, "expired", message, 401)


def forbidden(message: str) -> Refused:
    """Refuse what the token does not allow."""
    return Refused(4403, "forbidden", message, 403)


def lacks_scope(scope: Scope) -> Refused:
    """Refuse who lacks *scope*."""
    return forbidden(f"the token grants no {scope!r}")


def lacks_execution(scope: Scope, execution_id: str) -> Refused:
    """Refuse an execution; the same words whether it exists or not."""
    return forbidden(f"the token grants no {scope!r} of execution {execution_id[:128]!r}")


def _matches(name: str, patterns: Sequence[str] | None) -> bool:
    if patterns is None:
        return True
    return bool(name) and any(fnmatchcase(name, pattern) for pattern in patterns)
