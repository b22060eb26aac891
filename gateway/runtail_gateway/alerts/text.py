"""Find texts, and hide secrets, by patterns that are looked for in linear time. Pure: no I/O.

A pattern is plain text in which `*` stands for any characters. No regular expression: however it is
written, and whatever a worker logs, looking takes time in proportion to the text.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from runtail.masks.credentials import STARS
from runtail.masks.masking import Masker

MOST_PATTERN_CHARS: Final = 200
KNOWN_SECRETS: Final = (
    *("AKIA*", "ASIA*", "ghp_*", "gho_*", "ghs_*", "github_pat_*", "glpat-*", "xoxb-*", "xoxp-*"),
    *("xoxa-*", "xapp-*", "sk_live_*", "rk_live_*", "sk-*", "AIza*", "npm_*", "pypi-*", "eyJ*.*"),
)
"""Beginnings of tokens that are masked wherever they stand, with the rest of their word."""
_WORD: Final = re.compile(r"\S+")
_LEAST_SECRET: Final = 12  # characters; `sk-` and the like begin ordinary words too
_KEY_BEGINS, _KEY_ENDS = "PRIVATE KEY-----", "-----END"


@dataclass(frozen=True, slots=True)
class Pattern:
    """Texts between the `*` of a pattern, in their order."""

    parts: tuple[str, ...]
    open_end: bool

    @classmethod
    def of(cls, text: str) -> Pattern:
        """Read a pattern; raise ValueError, which says what was expected, for none."""
        if len(text) > MOST_PATTERN_CHARS:
            raise ValueError(f"expected at most {MOST_PATTERN_CHARS} characters")
        parts = tuple(part for part in text.split("*") if part)
        if len("".join(parts).strip()) < 3:
            raise ValueError("expected at least 3 characters beside spaces and `*`")
        return cls(parts, text.endswith("*"))

    @property
    def longest(self) -> str:
        """The longest text in it."""
        return max(self.parts, key=len)

    def span(self, text: str) -> tuple[int, int] | None:
        """Where it stands first in *text*; None if nowhere."""
        begin = at = text.find(self.parts[0])
        for part in self.parts:
            at = text.find(part, at) if at >= 0 else at
            if at < 0:
                return None
            at += len(part)
        return begin, len(text) if self.open_end else at

    def is_in(self, text: str) -> bool:
        """Whether a line of *text* holds it; upper and lower case are as written."""
        return any(self.span(line) is not None for line in text.split("\n"))


class Masks:
    """Hide secrets in texts: what stands under a credential's name, and what looks like a token.

    *names* are further names of credentials (patterns of a shell), *texts* further patterns.
    """

    def __init__(self, names: Iterable[str] = (), texts: Iterable[str] = ()) -> None:
        self._named = Masker(names)
        self._known = [Pattern.of(text) for text in KNOWN_SECRETS]
        self._own = [Pattern.of(text) for text in texts]

    def __call__(self, text: str) -> str:
        """Replace what is to be hidden by `***`."""
        return _WORD.sub(self._word, self._named.text(_without_keys(text)))

    def _word(self, found: re.Match[str]) -> str:
        word = found[0]
        for pattern, least in (
            *((p, 0) for p in self._own),
            *((p, _LEAST_SECRET) for p in self._known),
        ):
            span = pattern.span(word)
            if span is not None and span[1] - span[0] >= least:
                word = word[: span[0]] + STARS + word[span[1] :]
        return word


def _without_keys(text: str) -> str:
    """Take private keys out: all from the first line of one to its last, or to the end."""
    begin = text.find(_KEY_BEGINS)
    if begin < 0:
        return text
    begin += len(_KEY_BEGINS)
    end = text.find(_KEY_ENDS, begin)
    rest = "" if end < 0 else text[end : end + 200].partition("\n")[0]
    return f"{text[:begin]}{STARS}{rest}"
