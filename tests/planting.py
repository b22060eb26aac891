"""Plant a defect for a while: a few words put in place of others, in a script or in a function.

The product has no switch for it: a function is compiled anew from its source.
"""

from __future__ import annotations

import inspect
import textwrap
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from importlib import import_module
from typing import Any

import pytest
from tests.faults.scripts import Edit


@dataclass(frozen=True, slots=True)
class Defect:
    """*old* becomes *new* in *where*: `lua`, or a function as `module:Class.name`."""

    name: str
    where: str
    old: str
    new: str
    seeds: tuple[int, ...] = ()
    """The first to try: they caught the defect before."""

    @property
    def edits(self) -> Sequence[Edit]:
        """What it changes in the scripts."""
        return [(self.old, self.new)] if self.where == "lua" else []


@contextmanager
def planted(defect: Defect) -> Iterator[None]:
    """Plant a defect of a function, for a while; those of scripts are edits (see `scripts`)."""
    with pytest.MonkeyPatch.context() as patch:
        if defect.where != "lua":
            owner, name = _owner_of(defect.where)
            patch.setattr(owner, name, rewritten(getattr(owner, name), defect.old, defect.new))
        yield


def rewritten(function: Any, old: str, new: str) -> Any:
    """Compile *function* anew with *new* in place of *old*, which must be in it once."""
    source = textwrap.dedent(inspect.getsource(function))
    assert source.count(old) == 1, f"{old!r} is {source.count(old)} times in:\n{source}"
    text = "from __future__ import annotations\n" + source.replace(old, new)
    names: dict[str, Any] = {}
    exec(compile(text, "<defect>", "exec"), function.__globals__, names)
    return names[function.__name__]


def _owner_of(where: str) -> tuple[Any, str]:
    module, _, path = where.partition(":")
    *classes, name = path.split(".")
    owner: Any = import_module(module)
    for each in classes:
        owner = getattr(owner, each)
    return owner, name
