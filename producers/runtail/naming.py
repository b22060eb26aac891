"""Make ids: of executions, readable and sorted by time; of steps, short. No I/O but randomness."""

from __future__ import annotations

import itertools
import os
import re
import secrets
import time
from typing import Final

_MAX_WORKFLOW: Final = 64  # characters of a workflow id that its executions' ids begin with
_ALPHABET: Final = "0123456789abcdefghjkmnpqrstvwxyz"  # no i, l, o, u: nobody misreads it
_FOREIGN: Final = re.compile(r"[^A-Za-z0-9._:@+~-]+", re.ASCII)


def made_id(workflow_id: str, seconds: float | None = None) -> str:
    """Make an execution id such as `nightly-etl-20261125-031502-7k3f9q`; always a valid one.

    Ids of one workflow sort by time (UTC, whole seconds; *seconds* since 1970, now by default).
    """
    stem = _FOREIGN.sub("-", workflow_id)[:_MAX_WORKFLOW].strip("._:@+~-") or "run"
    when = time.strftime("%Y%m%d-%H%M%S", time.gmtime(seconds))
    return f"{stem}-{when}-{_random(6)}"


class StepIds:
    """Ids for the steps of one execution, unlike those of its other workers; from any thread."""

    def __init__(self) -> None:
        self._begin()

    def __call__(self) -> str:
        """Make an id such as `7k3f9q-12`."""
        if self._process != os.getpid():
            self._begin()  # a forked process would go on with its parent's numbers
        return f"{self._stem}-{next(self._numbers)}"

    def _begin(self) -> None:
        self._process, self._stem = os.getpid(), _random(6)
        self._numbers = itertools.count(1)


def _random(length: int) -> str:
    return "".join(secrets.choice(_ALPHABET) for _ in range(length))
