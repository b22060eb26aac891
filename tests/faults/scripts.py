"""Lua scripts with edits, for a while: a clock that can be set, and what defects change."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import cache
from pathlib import Path

import pytest

from runtail_broker import script as scripts
from runtail_broker.script import Script

CLOCK_KEY = "faults:clock"
Edit = tuple[str, str]
_FOLDER = Path(scripts.__file__).with_name("lua")
_CLOCK: Edit = (
    "return tonumber(time[1]) * 1000 +",
    f"return tonumber(redis.call('GET', '{CLOCK_KEY}') or '0') + tonumber(time[1]) * 1000 +",
)


@contextmanager
def edited(edits: Sequence[Edit] = (), *, clock: bool = True) -> Iterator[None]:
    """Put the second text of each edit in place of the first, in all scripts that hold it.

    With *clock* the engine's, as scripts see it, is off by what CLOCK_KEY says (ms).
    """
    original = scripts.script
    for old, _ in edits:
        texts = [original(path.stem).text for path in _FOLDER.glob("*.lua")]
        assert any(old in text for text in texts), f"no script holds {old!r}"

    @cache
    def changed(name: str) -> Script:
        text = original(name).text
        for old, new in (*([_CLOCK] if clock else []), *edits):
            text = text.replace(old, new)
        return Script(name, text, hashlib.sha1(text.encode()).hexdigest())

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(scripts, "script", changed)
        yield
