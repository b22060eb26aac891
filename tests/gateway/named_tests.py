"""Find tests by name, for tables that promise that each of their rows has one."""

from __future__ import annotations

import ast
from collections.abc import Iterable
from functools import cache
from pathlib import Path

TESTS = Path(__file__).parents[1]


def missing(places: Iterable[str]) -> list[str]:
    """List those of *places* (`gateway/test_file.py::test_name`) where there is no such test."""
    return [place for place in places if place.partition("::")[2] not in _names_in(place)]


def _names_in(place: str) -> frozenset[str]:
    return _defined(TESTS / place.partition("::")[0])


@cache
def _defined(file: Path) -> frozenset[str]:
    """Name what a file defines, without importing it."""
    kinds = (ast.FunctionDef, ast.AsyncFunctionDef)
    tree = ast.parse(file.read_bytes()) if file.exists() else ast.Module([], [])
    return frozenset(each.name for each in tree.body if isinstance(each, kinds))
