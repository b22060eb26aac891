"""Write what is sent when something is alerted of. Pure: no I/O, no clock."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import quote

import orjson

from runtail_broker.state import ExecutionState, rfc3339
from runtail_gateway.alerts.watch import Firing

MOST_LINES: Final = 10
MOST_LINE_CHARS: Final = 500
MOST_BODY_BYTES: Final = 32 * 1024
_MOST_ERROR_CHARS: Final = 2000
_UNITS: Final = ((86_400, "d"), (3600, "h"), (60, "min"))


@dataclass(frozen=True, slots=True)
class Found:
    """What is known of what an alert is about: an execution's state, its last lines, the median.

    *seq* is the line that the alert is about, if it is about one.
    """

    state: ExecutionState | None = None
    lines: Sequence[Mapping[str, Any]] = ()
    duration_ms: float | None = None
    median_ms: float | None = None
    seq: int | None = None
    ended: int = 0
    failed: int = 0


def message(firing: Firing, found: Found, page: str, mask: Callable[[str], str]) -> dict[str, Any]:
    """Make the JSON object that is sent; every text from a log has passed *mask*."""
    state, mine = found.state, firing.is_of_execution
    error = None if state is None else state.last_error
    told: dict[str, Any] = {
        "id": firing.id,
        "rule": firing.rule.name,
        "when": firing.rule.when,
        "turn": firing.turn,
        "at": rfc3339(firing.memory.told_ms),
        "execution_id": firing.subject if mine else None,
        "workflow_id": firing.workflow_id,
        "status": None if state is None else state.status,
        "reason": None if state is None or state.reason is None else _cut(mask(state.reason)),
        "step_name": None if error is None else error.step_name,
        "error": None if error is None else _cut(mask(error.message), _MOST_ERROR_CHARS),
        "lines": [_line(record, mask) for record in found.lines[-MOST_LINES:]],
        "duration_ms": found.duration_ms,
        "median_ms": found.median_ms,
        "ended": found.ended if not mine else None,
        "failed": found.failed if not mine else None,
        "held_back": firing.held_back,
        "repeats": firing.memory.repeats,
        "url": _link(page, firing.subject if mine else None, found.seq),
    }
    return {"text": text_of(told), **told}


def body(told: Mapping[str, Any], form: str) -> bytes:
    """Spell *told* for a webhook, in at most `MOST_BODY_BYTES`: what is too much are old lines."""
    while True:
        data = orjson.dumps({"text": slack_text(told)} if form == "slack" else told)
        if len(data) <= MOST_BODY_BYTES or not told["lines"]:
            return data
        told = {**told, "lines": told["lines"][1:]}


def text_of(told: Mapping[str, Any]) -> str:
    """Say it in one line."""
    subject = told["execution_id"] or f"workflow {told['workflow_id'] or '(none)'}"
    workflow = told["workflow_id"]
    of = f" ({workflow})" if told["execution_id"] and workflow else ""
    turn = {"repeated": "still: ", "resolved": "over: "}.get(told["turn"], "")
    return f"{turn}{subject}{of} {_what(told)}"


def _what(told: Mapping[str, Any]) -> str:
    took, median = told["duration_ms"], told["median_ms"]
    lasting = "" if took is None else f" after {span(took)}"
    usual = "" if median is None else f" (usually {span(median)})"
    match told["when"]:
        case "failed":
            return f"failed{lasting}{usual}"
        case "lost":
            return f"lost its worker{lasting}{usual}"
        case "stalled":
            return f"says nothing new{lasting}{usual}"
        case "slow":
            return f"takes unusually long: {span(took or 0)}{usual}"
        case "error_rate":
            return f"fails: {told['failed']} of the last {told['ended']} ended in failure"
        case _:
            return f"logged what is looked for{lasting}"


def slack_text(told: Mapping[str, Any]) -> str:
    """Write it for Slack and what understands its messages (Mattermost, Discord at `/slack`)."""
    rows = [f"*{_slack(text_of(told))}*"]
    if told["error"]:
        step = f"{told['step_name']}: " if told["step_name"] else ""
        rows.append(f"> {_slack(step + told['error'])}")
    elif told["reason"]:
        rows.append(f"> {_slack(told['reason'])}")
    if told["lines"]:
        shown = "\n".join(_slack(f"{row['seq']} {row['text']}") for row in told["lines"])
        rows.append(f"```\n{shown}\n```")
    if told["held_back"]:
        rows.append(f"and {told['held_back']} more of this rule since the last message")
    if told["url"]:
        rows.append(f"<{told['url']}|Open the log>")
    return "\n".join(rows)


def span(ms: float) -> str:
    """Spell a time by its two largest units."""
    seconds = ms / 1000
    for size, unit in _UNITS:
        if seconds >= size:
            smaller, name = {"d": (3600, "h"), "h": (60, "min"), "min": (1, "s")}[unit]
            return f"{int(seconds // size)} {unit} {int(seconds % size // smaller)} {name}"
    return f"{seconds:.1f} s"


def _line(record: Mapping[str, Any], mask: Callable[[str], str]) -> dict[str, Any]:
    said = record.get("message") or record.get("error_message") or ""
    said = said if isinstance(said, str) else ""
    if not said:
        said = " ".join(str(record[n]) for n in ("kind", "status", "reason") if record.get(n))
    # masked before it is cut: half a secret would not be known as one
    return {
        "seq": record.get("seq"),
        "level": record.get("level"),
        "step_name": record.get("step_name"),
        "text": _cut(mask(said)),
    }


def _cut(text: str, most: int = MOST_LINE_CHARS) -> str:
    text = " ".join(text.splitlines())
    text = "".join(c if c.isprintable() else "\N{REPLACEMENT CHARACTER}" for c in text[: most + 1])
    return text if len(text) <= most else text[: most - 1] + "…"


def _slack(text: str) -> str:
    """Keep a log's text from being markup: links, mentions, the end of a block."""
    text = text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    return text.replace("`", "'")


def _link(page: str, execution_id: str | None, seq: int | None) -> str | None:
    if not page:
        return None
    if execution_id is None:
        return f"{page}/monitoring"
    line = "" if seq is None else f"#L{seq}"
    return f"{page}/monitoring/executions/{quote(execution_id, safe='')}{line}"
