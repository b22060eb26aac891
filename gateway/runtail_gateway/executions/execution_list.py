"""List executions, the newest first: chosen by status, workflow and time, in stable pages.

A page begins behind a place in the index (creation time and id), so that what is created meanwhile
moves nothing. One request looks at a bounded number of executions and says where to go on.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final

from runtail_broker.errors import InvalidExecutionId
from runtail_broker.executions import NEWEST, Executions, Listed
from runtail_broker.keys import checked
from runtail_broker.state import ExecutionState
from runtail_gateway.access.auth import ANYONE, Grant
from runtail_gateway.protocol.problem import BadRequest

STATUSES: Final = ("running", "completed", "failed", "cancelled", "lost")
MAX_WORKFLOWS: Final = 50
_AT_ONCE: Final = 500  # states read together


@dataclass(frozen=True, slots=True)
class ExecutionFilter:
    """Which executions are wanted; all that is set must hold. Times are ms since 1970."""

    statuses: frozenset[str] = frozenset()
    workflows: frozenset[str] = frozenset()
    since: int = 0
    until: int = NEWEST[0]

    @classmethod
    def parse(
        cls,
        statuses: Iterable[str],
        workflows: Iterable[str],
        since: str | None,
        until: str | None,
    ) -> ExecutionFilter:
        """Read parameters; raise BadRequest with the value that is none."""
        chosen, named = _parts(statuses), _parts(workflows)
        for status in chosen - set(STATUSES):
            raise BadRequest(f"status is {status[:40]!r}, expected one of {', '.join(STATUSES)}")
        if len(named) > MAX_WORKFLOWS:
            raise BadRequest(f"{len(named)} workflows are named, expected at most {MAX_WORKFLOWS}")
        begin = 0 if since is None else _ms("from", since)
        return cls(chosen, named, begin, NEWEST[0] if until is None else _ms("until", until))

    def __bool__(self) -> bool:
        """Whether an execution's state must be looked at."""
        return bool(self.statuses or self.workflows)

    def keeps(self, state: ExecutionState) -> bool:
        """Whether the execution of *state* is wanted, as far as its state says."""
        if self.statuses and state.status not in self.statuses:
            return False
        return self.of_workflow(state)

    def of_workflow(self, state: ExecutionState) -> bool:
        """Whether its workflow, which does not change, is wanted."""
        return not self.workflows or state.workflow_id in self.workflows


def place_of(text: str) -> Listed:
    """Read a `next` that an earlier page gave; raise BadRequest for anything else."""
    ms, _, name = text.partition("-")
    try:
        if ms.isascii() and ms.isdigit() and len(ms) <= 16:
            return int(ms), checked(name)
    except InvalidExecutionId:
        pass
    raise BadRequest(f"cursor is {text[:80]!r}, expected the `next` of a page before it")


async def listed(
    executions: Executions,
    chosen: ExecutionFilter,
    place: Listed,
    limit: int,
    *,
    most_looked: int,
    grant: Grant = ANYONE,
) -> dict[str, Any]:
    """Make a page of at most *limit* executions behind *place*; `next` is null behind the last.

    What *grant* does not cover is neither listed nor named, but counts as looked at.
    """
    found: list[ExecutionState] = []
    named: Listed | None = None
    begin = place
    place = min(place, (chosen.until + 1, ""))
    looked, more = 0, True
    while more and len(found) < limit and looked < most_looked:
        count = min(
            _AT_ONCE if chosen or grant.is_narrow else limit - len(found), most_looked - looked
        )
        rows = await executions.older(place, count)
        more = len(rows) == count
        if rows and rows[-1][0] < chosen.since:
            rows, more = [row for row in rows if row[0] >= chosen.since], False
        states = {state.id: state for state in await executions.states([name for _, name in rows])}
        for row in rows:
            place, looked = row, looked + 1
            state = states.get(row[1])
            if state is None or not grant.covers(state.id, state.workflow_id):
                continue
            named = row
            if chosen.keeps(state):
                found.append(state)
                if len(found) == limit:
                    more = more or row != rows[-1]
                    break
    place = _told(place, named, begin) if grant.is_narrow else place
    return {
        "executions": [state.json() for state in found],
        "next": f"{place[0]}-{place[1]}" if more else None,
    }


def _told(place: Listed, named: Listed | None, begin: Listed) -> Listed:
    """Choose where the next page begins so that it names nothing but *named*, which was seen.

    Else it begins before all that are as old as *place*: of those none was listed.
    """
    if named is not None and named[0] == place[0]:
        return named
    above = (place[0] + 1, "0")  # the least of all ids
    return above if above < begin else place


def _parts(values: Iterable[str]) -> frozenset[str]:
    return frozenset(part for value in values for part in value.split(",") if part)


def _ms(name: str, text: str) -> int:
    try:
        when = datetime.fromisoformat(text)
        return int(when.replace(tzinfo=when.tzinfo or UTC).timestamp() * 1000)
    except (ValueError, OverflowError) as error:
        raise BadRequest(f"{name} is {text[:40]!r}, expected a time as RFC 3339 has it") from error
