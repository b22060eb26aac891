"""Fit what a command's help teaches to the width of the terminal. Pure: no I/O."""

from __future__ import annotations

import argparse
import re
import textwrap
from collections.abc import Iterator
from typing import Final

_COMMENT: Final = re.compile(r"^(\s+\S.*?)\s{2,}(\S.*)$")


class Taught(argparse.HelpFormatter):
    """Wrap prose, and keep what is indented: examples, tables of codes."""

    def _fill_text(self, text: str, width: int, indent: str) -> str:
        return "\n".join(f"{indent}{line}" for line in fitted(text, width))


def fitted(text: str, width: int) -> Iterator[str]:
    """Spell *text* in lines of at most *width*, as far as an example can be broken.

    What stands beside a command is wrapped there, or goes below it if it finds too little room.
    """
    prose: list[str] = []
    for line in [*text.strip("\n").split("\n"), ""]:
        if line and not line.startswith(" "):
            prose.append(line)
            continue
        yield from textwrap.wrap(" ".join(prose), width) if prose else ()
        prose.clear()
        yield from _example(line, width)


def _example(line: str, width: int) -> Iterator[str]:
    found = _COMMENT.match(line) if len(line) > width else None
    if found is None:
        yield line
        return
    beside, margin = found.start(2) <= width // 2, " " * min(found.start(2), 8)
    head = line[: found.start(2)] if beside else margin
    margin = " " * len(head)
    if not beside:
        yield found[1]
    yield from textwrap.wrap(found[2], width, initial_indent=head, subsequent_indent=margin)
