"""What is alerted of, and where that is sent, as a TOML file says it. Pure: no I/O."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from typing import Final, Literal, get_args
from urllib.parse import urlsplit

from runtail_gateway.alerts.text import Pattern

When = Literal["failed", "stalled", "lost", "error_rate", "slow", "text"]
WHENS: Final[tuple[When, ...]] = get_args(When)
LASTING: Final = frozenset({"stalled", "lost", "error_rate"})
"""What may be over again: only that can be repeated, and resolved."""
LEVELS: Final = ("debug", "info", "warning", "error")

MOST_RULES: Final = 100
MOST_WEBHOOKS: Final = 20
MOST_PATTERNS: Final = 50
MOST_FILE_BYTES: Final = 256 * 1024


@dataclass(frozen=True, slots=True)
class Webhook:
    """Where alerts go: an http or https address, and what signs them."""

    name: str
    url: str = field(repr=False)
    secret: str = field(default="", repr=False)
    format: Literal["json", "slack"] = "json"
    timeout_seconds: float = 10.0

    @property
    def host(self) -> str:
        """What may be shown of the address: the rest of it may be a secret."""
        return urlsplit(self.url).hostname or ""


@dataclass(frozen=True, slots=True)
class Rule:
    """One rule; what another kind of rule needs stands at its default."""

    name: str
    when: When
    to: tuple[str, ...]
    workflows: tuple[str, ...] = ()
    silence_seconds: float = 0.0
    repeat_seconds: float = 0.0
    resolved: bool = False
    after_seconds: float = 600.0  # stalled
    above: float = 0.5  # error_rate
    window_seconds: float = 3600.0  # error_rate
    at_least: int = 5  # error_rate: executions that ended; slow: that completed
    times: float = 3.0  # slow
    texts: tuple[Pattern, ...] = ()  # text, in lower case
    levels: tuple[str, ...] = ()  # text

    def concerns(self, workflow_id: str | None) -> bool:
        """Whether it is about executions of that workflow."""
        if not self.workflows:
            return True
        return any(fnmatchcase(workflow_id or "", pattern) for pattern in self.workflows)


@dataclass(frozen=True, slots=True)
class AlertRules:
    """All that the file says."""

    rules: tuple[Rule, ...]
    webhooks: Mapping[str, Webhook]
    page: str = ""
    mask_names: tuple[str, ...] = ()
    mask_texts: tuple[str, ...] = ()
    every_seconds: float = 2.0

    def rule(self, name: str) -> Rule | None:
        """Find a rule by its name."""
        return next((rule for rule in self.rules if rule.name == name), None)
