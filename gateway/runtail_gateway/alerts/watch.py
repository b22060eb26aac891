"""Decide of what is alerted: on a change of state, once. Pure: no I/O, no clock.

What a rule found is remembered per rule and subject (an execution, or a workflow). As long as the
same holds nothing is said again; what was not remembered is found in the next look, so nothing is
missed because a gateway died.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any, Final

import orjson

from runtail_broker.tally import Tally
from runtail_gateway.alerts.rules import LASTING, Rule

HORIZON_MS: Final = 86_400_000
"""What happened longer ago, while nobody looked, is not alerted of any more."""
MOST_REMEMBERED: Final = 20_000
_SEPARATOR: Final = "\x1f"  # in no rule's name, and in no id
_SILENCE, _SINCE = "\x1fsilence", "\x1fsince"  # which no rule can be named
_NOTES = (_SILENCE, _SINCE)


@dataclass(frozen=True, slots=True)
class Holds:
    """What a rule says of a subject is true: *occurrence* tells one time from another."""

    occurrence: str
    event_ms: int


@dataclass(frozen=True, slots=True)
class Memory:
    """What is remembered of a rule and a subject; times are ms since 1970.

    *open*: it held when it was last seen, and may be over again.
    """

    occurrence: str
    open: bool
    told_ms: int
    repeats: int = 0
    silent: bool = False

    def stored(self) -> bytes:
        """Write it as it is kept."""
        fields = [self.occurrence, self.open, self.told_ms, self.repeats, self.silent]
        return orjson.dumps(fields)

    @classmethod
    def read(cls, stored: bytes) -> Memory:
        """Read what `stored` wrote."""
        return cls(*orjson.loads(stored))


@dataclass(frozen=True, slots=True)
class Firing:
    """A change that is to be told: *turn* is `fired`, `repeated` or `resolved`.

    *silent* ones are shown, not sent; *held_back* is how many of them came before this one.
    """

    rule: Rule
    subject: str
    workflow_id: str | None
    turn: str
    memory: Memory
    event_ms: int
    silent: bool = False
    held_back: int = 0

    @property
    def id(self) -> str:
        """The same for the same change, whoever finds it: what receivers tell a repetition by."""
        parts = (self.rule.name, self.subject, self.memory.occurrence, self.turn)
        text = "\0".join((*parts, str(self.memory.repeats)))
        return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()[:32]

    @property
    def is_of_execution(self) -> bool:
        """Whether its subject is an execution, not a workflow."""
        return self.rule.when != "error_rate"


class Watch:
    """What is remembered, and what to say of what is seen. *stored* is how it is kept."""

    def __init__(self, rules: Iterable[Rule], stored: Mapping[str, bytes]) -> None:
        self.rules = tuple(rules)
        self._known: dict[str, bytes] = {}  # when rules began, and their silences
        self._memories: dict[str, Memory] = {}
        self._open: dict[str, None] = {}
        self.keep(stored)

    def since(self, rule: Rule, now_ms: int) -> int:
        """Since when a rule looks: what happened before it was set is not alerted of."""
        stored = self._known.get(_key(_SINCE, rule.name))
        return max(now_ms - HORIZON_MS, int(stored) if stored else now_ms)

    def begin(self, now_ms: int) -> dict[str, bytes]:
        """Note rules that are new; what is to be kept of that."""
        keys = (_key(_SINCE, rule.name) for rule in self.rules)
        fresh = {key: b"%d" % now_ms for key in keys if key not in self._known}
        self._known |= fresh
        return fresh

    def look(
        self, rule: Rule, subject: str, workflow_id: str | None, holds: Holds | None, now_ms: int
    ) -> Firing | None:
        """Say what changed of *subject*; `told` remembers it."""
        known = self.memory(rule, subject)
        if holds is None:
            if known is None or not known.open:
                return None
            memory = replace(known, open=False, told_ms=now_ms)
            silent = known.silent or not rule.resolved
            return Firing(rule, subject, workflow_id, "resolved", memory, now_ms, silent)
        if known is not None and (known.open or known.occurrence == holds.occurrence):
            due = rule.repeat_seconds and now_ms - known.told_ms >= rule.repeat_seconds * 1000
            if not (known.open and due and not known.silent):
                return None
            memory = replace(known, told_ms=now_ms, repeats=known.repeats + 1)
            return Firing(rule, subject, workflow_id, "repeated", memory, holds.event_ms)
        if holds.event_ms < self.since(rule, now_ms):
            return None
        memory = Memory(holds.occurrence, rule.when in LASTING, now_ms)
        return Firing(rule, subject, workflow_id, "fired", memory, holds.event_ms)

    def weighed(self, firing: Firing) -> Firing:
        """Say whether the rule is silent by now, or what it held back; ask just before `told`."""
        if firing.turn != "fired":
            return firing
        until, held = self._silence(firing.rule, firing.workflow_id)
        if firing.memory.told_ms >= until:
            return replace(firing, held_back=held)
        return replace(firing, silent=True, memory=replace(firing.memory, silent=True))

    def told(self, firing: Firing) -> dict[str, bytes]:
        """What is to be kept once *firing* is; `keep` takes it in."""
        rule, kept = firing.rule, {_key(firing.rule.name, firing.subject): firing.memory.stored()}
        if firing.turn == "fired" and rule.silence_seconds:
            until, held = self._silence(rule, firing.workflow_id)
            if firing.silent:
                held += 1
            else:
                until, held = int(firing.memory.told_ms + rule.silence_seconds * 1000), 0
            key = _key(_SILENCE, rule.name, firing.workflow_id or "")
            kept[key] = orjson.dumps([until, held])
        return kept

    def keep(self, kept: Mapping[str, bytes]) -> None:
        """Take in what was stored."""
        for key, stored in kept.items():
            if key.startswith(_NOTES):
                self._known[key] = stored
                continue
            memory = self._memories[key] = Memory.read(stored)
            if memory.open:
                self._open[key] = None
            else:
                self._open.pop(key, None)

    def memory(self, rule: Rule, subject: str) -> Memory | None:
        """What is remembered of *rule* and *subject*."""
        return self._memories.get(_key(rule.name, subject))

    def open_subjects(self, rule: Rule) -> list[str]:
        """List the subjects for which *rule* held when they were last seen."""
        begins = rule.name + _SEPARATOR
        return [key.removeprefix(begins) for key in self._open if key.startswith(begins)]

    def forget(self, now_ms: int) -> list[str]:
        """Forget what can not be met again, and the oldest if it is too much; list its keys."""
        old_ms = now_ms - 2 * HORIZON_MS
        over = {key: m.told_ms for key, m in self._memories.items() if not m.open}
        gone = [key for key, ms in over.items() if ms < old_ms]
        excess = len(self._memories) - len(gone) - MOST_REMEMBERED
        if excess > 0:
            left = over.keys() - set(gone)
            gone += sorted(left, key=lambda key: over[key])[:excess]
        silences = [key for key in self._known if key.startswith(_SILENCE + _SEPARATOR)]
        gone_silences = [key for key in silences if orjson.loads(self._known[key])[0] < old_ms]
        for key in gone:
            del self._memories[key]
        for key in gone_silences:
            del self._known[key]
        return gone + gone_silences

    def _silence(self, rule: Rule, workflow_id: str | None) -> tuple[int, int]:
        stored = self._known.get(_key(_SILENCE, rule.name, workflow_id or ""))
        until, held = orjson.loads(stored) if stored else (0, 0)
        return until, held


def holds(rule: Rule, tally: Tally, now_ms: int, usual: tuple[float, int] | None) -> Holds | None:
    """Whether what *rule* says is true of an execution; *usual* is its workflow's median, of how
    many that completed."""
    match rule.when:
        case "failed" if tally.status == "failed" and tally.is_over:
            return Holds(f"{tally.ended_ms}", tally.ended_ms)
        case "lost" if tally.status == "lost":
            return Holds(f"{tally.records}", tally.last_ms)
        case "stalled" if tally.status == "running":
            quiet_since = max(tally.last_ms, tally.started_ms)
            due = quiet_since + int(rule.after_seconds * 1000)
            return Holds(f"{quiet_since}", due) if quiet_since and now_ms >= due else None
        case "slow" if usual is not None and usual[1] >= rule.at_least and tally.started_ms:
            until = tally.ended_ms if tally.is_over else now_ms
            due = tally.started_ms + int(usual[0] * rule.times)
            return Holds("slow", due) if usual[0] > 0 and until > due else None
    return None


def failing(rule: Rule, tallies: Iterable[Tally], now_ms: int) -> dict[str | None, dict[str, Any]]:
    """Count, per workflow, what ended in the rule's window: those that failed often enough."""
    counts: dict[str | None, list[int]] = {}
    for tally in tallies:
        recent = tally.is_over and tally.ended_ms >= now_ms - rule.window_seconds * 1000
        if recent and rule.concerns(tally.workflow_id) and tally.status in ("failed", "completed"):
            count = counts.setdefault(tally.workflow_id, [0, 0, 0])
            count[0] += 1
            if tally.status == "failed":
                count[1] += 1
                count[2] = max(count[2], tally.ended_ms)
    return {
        name: {"ended": ended, "failed": failed, "last_failed_ms": last}
        for name, (ended, failed, last) in counts.items()
        if ended >= rule.at_least and failed / ended > rule.above
    }


def _key(*parts: str) -> str:
    return _SEPARATOR.join(parts)
