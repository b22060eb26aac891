"""Read the TOML file of the alerts; what is wrong in it is named with its line. Pure: no I/O."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any, Final
from urllib.parse import urlsplit

from runtail_gateway.alerts.rules import (
    LASTING,
    LEVELS,
    MOST_FILE_BYTES,
    MOST_PATTERNS,
    MOST_RULES,
    MOST_WEBHOOKS,
    WHENS,
    AlertRules,
    Rule,
    Webhook,
)
from runtail_gateway.alerts.text import Pattern
from runtail_gateway.protocol.brief import brief

_NAME: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9 ._-]{0,63}", re.ASCII)
_SPAN: Final = re.compile(r"([0-9]{1,9}(?:\.[0-9]{1,3})?)(s|m|h|d)", re.ASCII)
_SECONDS: Final = {"s": 1, "m": 60, "h": 3600, "d": 86_400}
_MOST_SECONDS: Final = 30 * 86_400
_LEAST_SECRET: Final = 16
_OF_ALL: Final = frozenset({"name", "when", "to", "workflow", "silence", "repeat", "resolved"})
_OF_KIND: Final = {
    "stalled": {"after"},
    "error_rate": {"above", "window", "at_least"},
    "slow": {"times", "at_least"},
    "text": {"text", "level"},
}


class InvalidRules(ValueError):
    """The file cannot be used: at *line* (0: none in particular), for *reason*."""

    def __init__(self, line: int, reason: str) -> None:
        self.line, self.reason = line, reason
        super().__init__(f"line {line}: {reason}" if line else reason)


def read_rules(data: bytes, environment: Mapping[str, str]) -> AlertRules:
    """Read the file's bytes; raise InvalidRules, which names the line, the value, the remedy."""
    if len(data) > MOST_FILE_BYTES:
        raise InvalidRules(0, f"the file has {len(data)} bytes, expected at most {MOST_FILE_BYTES}")
    try:
        text = data.decode()
        said = tomllib.loads(text)
    except UnicodeDecodeError as error:
        raise InvalidRules(data.count(b"\n", 0, error.start) + 1, "it is no UTF-8") from error
    except tomllib.TOMLDecodeError as error:
        found = re.search(r"\(at line (\d+), column \d+\)", str(error))
        line = int(found[1]) if found else text.count("\n") + 1
        raise InvalidRules(line, f"it is no TOML: {error}") from error
    top = _Table(text.splitlines(), "", said)
    top.only({"page", "every", "webhook", "rule", "mask"})
    webhooks = _webhooks(top, environment)
    mask = _Table(top.lines, "[mask]", top.table("mask"))
    mask.only({"names", "texts"})
    rules = tuple(_rule(table, webhooks) for table in _rule_tables(top))
    if len({rule.name for rule in rules}) < len(rules):
        names = [rule.name for rule in rules]
        twice = next(name for number, name in enumerate(names) if name in names[:number])
        raise top.wrong("rule", f"two rules are named {twice!r}, expected names of their own")
    return AlertRules(
        rules,
        webhooks,
        page=_page(top),
        mask_names=mask.texts("names"),
        mask_texts=tuple(text for text, _ in _patterns(mask, "texts")),
        every_seconds=top.seconds("every", 2.0, least=0.1, most=60.0),
    )


@dataclass(frozen=True, slots=True)
class _Table:
    """A table of the file: its header, which time that stands there, and what it says."""

    lines: Sequence[str]
    header: str
    said: Mapping[str, Any]
    number: int = 0
    extent: range = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "extent", self._extent())

    def _extent(self) -> range:
        """Between which lines it stands (counted from 0), as far as plain TOML goes."""
        heads = [n for n, line in enumerate(self.lines) if line.lstrip().startswith("[")]
        if not self.header:
            return range(heads[0] if heads else len(self.lines))
        wanted = self.header.replace(" ", "").replace('"', "")
        mine = [
            n for n in heads if self.lines[n].replace(" ", "").replace('"', "").startswith(wanted)
        ]
        if len(mine) <= self.number:
            return range(len(self.lines))
        begin = mine[self.number]
        return range(begin, next((n for n in heads if n > begin), len(self.lines)))

    def wrong(self, name: str, reason: str) -> InvalidRules:
        """Make the error about the member *name*, at its line or at the table's."""
        member = re.compile(rf"""\s*["']?{re.escape(name)}["']?\s*=""")
        for number in self.extent:
            if member.match(self.lines[number]):
                return InvalidRules(number + 1, reason)
        if not self.header:
            starts = (
                n for n, line in enumerate(self.lines) if line.startswith((f"[[{name}", f"[{name}"))
            )
            return InvalidRules(next(starts, -1) + 1, reason)
        return InvalidRules(self.extent.start + 1, reason)

    def bad(self, name: str, expected: str) -> InvalidRules:
        """Say that what *name* says is not as *expected*."""
        shown = repr(brief(self.said[name])) if name in self.said else "missing"
        return self.wrong(name, f"{name} is {shown}, expected {expected}")

    def only(self, names: set[str] | frozenset[str]) -> None:
        for name in self.said:
            if name not in names:
                expected = f"expected one of {', '.join(sorted(names))}"
                raise self.wrong(name, f"{name[:40]!r} is not known here, {expected}")

    def table(self, name: str) -> Mapping[str, Any]:
        found = self.said.get(name, {})
        if not isinstance(found, dict):
            raise self.bad(name, f"a table, [{name}]")
        return found

    def text(self, name: str, default: str | None = None) -> str:
        found = self.said.get(name, default)
        if not isinstance(found, str) or not found.strip() or not found.isprintable():
            raise self.bad(name, "a text in one line")
        return found

    def texts(self, name: str, most: int = MOST_PATTERNS) -> tuple[str, ...]:
        """Read a text or a list of texts."""
        found = self.said.get(name, [])
        listed = [found] if isinstance(found, str) else found
        if not isinstance(listed, list) or len(listed) > most:
            raise self.bad(name, f"a text, or a list of at most {most}")
        if not all(isinstance(each, str) and 0 < len(each) <= 200 for each in listed):
            raise self.bad(name, "texts of 1 to 200 characters")
        return tuple(listed)

    def number_of(self, name: str, default: float, least: float, most: float) -> float:
        found = self.said.get(name, default)
        if isinstance(found, bool) or not isinstance(found, int | float):
            raise self.bad(name, f"a number from {least:g} to {most:g}")
        if not least <= found <= most:
            raise self.bad(name, f"a number from {least:g} to {most:g}")
        return float(found)

    def seconds(
        self, name: str, default: float, *, least: float = 1.0, most: float = _MOST_SECONDS
    ) -> float:
        if name not in self.said:
            return default
        found = _SPAN.fullmatch(self.said[name]) if isinstance(self.said[name], str) else None
        value = float(found[1]) * _SECONDS[found[2]] if found else -1.0
        if not least <= value <= most:
            expected = f"a time such as '90s', '15m', '4h' or '2d', from {least:g} s to {most:g} s"
            raise self.bad(name, expected)
        return value


def _page(top: _Table) -> str:
    page = top.text("page").rstrip("/") if "page" in top.said else ""
    if page and not _is_address(page):
        raise top.bad("page", "where people open runtail, such as 'https://runtail.example.org'")
    return page


def _webhooks(top: _Table, environment: Mapping[str, str]) -> dict[str, Webhook]:
    said = top.table("webhook")
    if not 1 <= len(said) <= MOST_WEBHOOKS:
        reason = f"{len(said)} webhooks are named, expected 1 to {MOST_WEBHOOKS}, as [webhook.NAME]"
        raise top.wrong("webhook", reason)
    found = {}
    for name, members in said.items():
        table = _Table(top.lines, f"[webhook.{name}]", members if isinstance(members, dict) else {})
        if not _NAME.fullmatch(name):
            raise table.wrong(name, f"{name[:40]!r} is no name of a webhook, expected letters")
        found[name] = _webhook(name, table, environment)
    return found


def _webhook(name: str, table: _Table, environment: Mapping[str, str]) -> Webhook:
    table.only({"url", "url_env", "secret_env", "format", "timeout"})
    form = table.text("format", "json")
    if form not in ("json", "slack"):
        raise table.bad("format", "'json' or 'slack'")
    if ("url" in table.said) == ("url_env" in table.said):
        expected = "expected url, or url_env with the name of an environment variable"
        raise table.wrong("url", f"a webhook says where it is once, {expected}")
    url = table.text("url") if "url" in table.said else _of(environment, table, "url_env")
    if not _is_address(url):
        name_of_url = "url" if "url" in table.said else "url_env"
        # not shown: the address of a webhook may be a secret
        raise table.wrong(name_of_url, f"{name_of_url} is no address, expected https://host/path")
    secret = _of(environment, table, "secret_env") if "secret_env" in table.said else ""
    if form == "json" and not secret:
        reason = "no secret signs this webhook's messages, expected secret_env with the name of an"
        raise table.wrong("secret_env", f"{reason} environment variable")
    if secret and len(secret) < _LEAST_SECRET:
        reason = f"the secret has {len(secret)} characters, expected at least {_LEAST_SECRET}"
        raise table.wrong("secret_env", reason)
    timeout = table.seconds("timeout", 10.0, least=0.1, most=30.0)
    return Webhook(name, url, secret, "slack" if form == "slack" else "json", timeout)


def _of(environment: Mapping[str, str], table: _Table, name: str) -> str:
    variable = table.text(name)
    value = environment.get(variable, "")
    if not value:
        reason = f"{name} is {variable!r}, expected a variable that is set for this process"
        raise table.wrong(name, reason)
    return value


def _is_address(url: str) -> bool:
    with suppress(ValueError):
        parts = urlsplit(url)
        sound = url.isascii() and url.isprintable() and " " not in url and len(url) <= 2000
        known = parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0
        return sound and known and "@" not in parts.netloc and not parts.fragment
    return False


def _rule_tables(top: _Table) -> Iterator[_Table]:
    said = top.said.get("rule", [])
    if not isinstance(said, list) or not 1 <= len(said) <= MOST_RULES:
        raise top.wrong("rule", f"expected 1 to {MOST_RULES} rules, each as [[rule]]")
    for number, members in enumerate(said):
        yield _Table(top.lines, "[[rule]]", members if isinstance(members, dict) else {}, number)


def _rule(table: _Table, webhooks: Mapping[str, Webhook]) -> Rule:
    when = table.said.get("when")
    if when not in WHENS:
        raise table.bad("when", f"one of {', '.join(WHENS)}")
    table.only(_OF_ALL | _OF_KIND.get(when, set()))
    name = table.text("name", when)
    if not _NAME.fullmatch(name):
        raise table.bad("name", "1 to 64 letters, digits, spaces, and . _ -")
    to = table.texts("to", MOST_WEBHOOKS) or tuple(webhooks)
    for each in to:
        if each not in webhooks:
            raise table.wrong("to", f"to names {each!r}, expected one of {', '.join(webhooks)}")
    for lasting in ("repeat", "resolved"):
        if lasting in table.said and when not in LASTING:
            known = ", ".join(sorted(LASTING))
            raise table.wrong(
                lasting, f"{lasting} goes with what can be over ({known}), not {when}"
            )
    if not isinstance(table.said.get("resolved", False), bool):
        raise table.bad("resolved", "true or false")
    if not set(table.texts("level")) <= set(LEVELS):
        raise table.bad("level", f"some of {', '.join(LEVELS)}")
    patterns = tuple(pattern for _, pattern in _patterns(table, "text", lower=True))
    if when == "text" and not patterns:
        raise table.bad("text", "a text to look for, or a list of them; `*` is anything in a line")
    return Rule(
        name=name,
        when=when,
        to=to,
        workflows=table.texts("workflow"),
        silence_seconds=table.seconds("silence", 0.0),
        repeat_seconds=table.seconds("repeat", 0.0, least=60.0),
        resolved=bool(table.said.get("resolved", False)),
        after_seconds=table.seconds("after", 600.0),
        above=table.number_of("above", 0.5, 0.0, 0.999),
        window_seconds=table.seconds("window", 3600.0, least=60.0, most=7 * 86_400),
        at_least=int(table.number_of("at_least", 5, 1, 1000)),
        times=table.number_of("times", 3.0, 1.1, 1000),
        texts=patterns,
        levels=table.texts("level"),
    )


def _patterns(table: _Table, name: str, *, lower: bool = False) -> Iterator[tuple[str, Pattern]]:
    for text in table.texts(name):
        try:
            yield text, Pattern.of(text.lower() if lower else text)
        except ValueError as error:
            raise table.wrong(name, f"{name} holds {text[:40]!r}, {error}") from error
