"""Lay out what `runtail top` shows, for a terminal of any width. Log text is data there."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any, Final

from rich.console import Group, JustifyMethod, RenderableType
from rich.table import Table
from rich.text import Text

from runtail.commands.ls import duration
from runtail.watching.terminal import visible
from runtail.watching.top_board import Board, Line, State

_COLORS: Final = {
    "running": "cyan",
    "completed": "green",
    "failed": "bold red",
    "lost": "red",
    "cancelled": "yellow",
}
_BAR: Final = 10
_NARROW: Final = 100
_COLUMNS: Final = (  # after the ID
    "STATUS",
    "PROGRESS",
    "REC/S",
    "LINES",
    "ERRORS",
    "QUIET",
    "WORKERS",
    "FOR",
    "WORKFLOW",
)
_RIGHT: Final = frozenset({"REC/S", "LINES", "ERRORS", "QUIET", "WORKERS", "FOR"})
_QUIET_SECONDS: Final = 30.0
_LEFT_OUT: Final = (  # below this width → these columns
    (_NARROW, {"WORKERS", "WORKFLOW"}),
    (72, {"QUIET", "FOR"}),
    (56, {"REC/S"}),
)


def drawn(
    board: Board, now: float, width: int, height: int, url: str, link: str, figures: dict[str, Any]
) -> RenderableType:
    """Draw all of it; what finds no room is counted in the last row."""
    lines = board.lines(now)
    room = max(1, height - 6)
    table = _table(lines[:room], width)
    head = Text.assemble(
        ("runtail top  ", "bold"),
        visible(url),
        "  ",
        (link, "dim" if link.startswith("answers") else "bold red"),
    )
    head.no_wrap, head.overflow = True, "ellipsis"
    rows: list[RenderableType] = [head, _sums(board, now, figures, width), Text(""), table]
    if not lines:
        rows.append(Text("No executions yet. Start one: runtail run -- COMMAND", "dim"))
    if len(lines) > room:
        rows.append(Text(f"and {len(lines) - room} more", "dim"))
    return Group(*rows)


def _sums(board: Board, now: float, figures: dict[str, Any], width: int) -> Text:
    """Say what goes on now, and what happened in the last hour."""
    said = Text.assemble(
        (f"{board.count('running')} running", "cyan"),
        ", ",
        (f"{board.count('lost')} lost", "red" if board.count("lost") else ""),
        f", {_number(board.rate(now))} records/s",
    )
    if figures:
        failed = figures.get("failed") or 0
        said.append("  │  last hour: ", "dim")
        said.append(f"{figures.get('completed') or 0} completed, ")
        said.append(f"{failed} failed", "red" if failed else "")
        if width >= _NARROW:
            said.append(f", {_number(figures.get('records_per_second') or 0)} records/s")
    said.no_wrap, said.overflow = True, "ellipsis"
    return said


def _table(lines: list[Line], width: int) -> Table:
    left_out = {name for below, names in _LEFT_OUT for name in names if width < below}
    table = Table(box=None, pad_edge=False, expand=True, header_style="dim")
    table.add_column("ID", no_wrap=True, overflow="ellipsis", ratio=1, min_width=12)
    for name in _COLUMNS:
        if name not in left_out:
            justify: JustifyMethod = "right" if name in _RIGHT else "left"
            widest = 18 if name == "WORKFLOW" else None
            table.add_column(
                name, justify=justify, no_wrap=True, overflow="ellipsis", max_width=widest
            )
    now = datetime.now(UTC)
    for line in lines:
        cells = zip(("ID", *_COLUMNS), _cells(line, now, width < _NARROW), strict=True)
        table.add_row(*(cell for name, cell in cells if name not in left_out))
    return table


def _cells(line: Line, now: datetime, narrow: bool) -> list[Text]:
    state = line.state
    status = visible(state.get("status") or "?")
    errors = (state.get("levels") or {}).get("error") or 0
    quiet = "" if line.quiet is None else f"{line.quiet:.0f} s"
    return [
        Text(visible(state.get("id") or "?"), "bold" if line.rate else ""),
        Text(status, _COLORS.get(status, "")),
        _progress(state, narrow),
        Text(_number(line.rate) if line.rate else "", "cyan"),
        Text(f"{state.get('last_seq') or 0:,}"),
        Text(f"{errors:,}" if errors else "", "red"),
        Text(quiet, "yellow" if (line.quiet or 0) >= _QUIET_SECONDS else "dim"),
        _workers(state),
        Text(duration(state.get("started_at"), state.get("ended_at"), now)),
        Text(visible(state.get("workflow_id") or ""), "dim"),
    ]


def _progress(state: State, narrow: bool) -> Text:
    value = state.get("progress")
    if not isinstance(value, int | float):
        return Text("")
    share = max(0.0, min(1.0, value / 100))
    percent = f"{value:>3.0f} %"
    if narrow:
        return Text(percent)
    full = round(share * _BAR)
    return Text.assemble(("━" * full, "cyan"), ("━" * (_BAR - full), "dim"), f" {percent}")


def _workers(state: State) -> Text:
    workers = state.get("workers") or {}
    opened, silent = workers.get("open") or 0, workers.get("silent") or 0
    if silent:
        return Text(f"{silent} of {opened} silent", "yellow")
    return Text(str(opened) if opened else "", "dim")


def _number(value: float) -> str:
    return f"{value:,.0f}" if value >= 10 else f"{value:.1f}"
