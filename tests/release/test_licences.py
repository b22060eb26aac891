"""Nothing comes with runtail under a licence that asks for more than its notice."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
from packaging.utils import canonicalize_name
from tests.release.licences import (
    ALLOWED,
    BUNDLED,
    FILE,
    Part,
    atoms,
    bundled_parts,
    npm_parts,
    page,
    python_parts,
)
from tests.web import ROOT, UI, vite

TEXT = FILE.read_text()
PYTHON = python_parts()
PARTS = [*PYTHON, *npm_parts(), *bundled_parts()]


def rows() -> dict[str, str]:
    """Read the tables of the file: package → licence."""
    found = re.findall(r"^\| ([\w@/.-]+) \| ([^|]+) \|$", TEXT, re.MULTILINE)
    return {name: licence for name, licence in found if name not in ("package", "---")}


@pytest.mark.parametrize("part", PARTS, ids=lambda part: part.name)
def test_a_licence_is_one_of_those_that_are_allowed(part: Part) -> None:
    assert part.licence, f"{part.name} names no licence that is known"
    assert atoms(part.licence) <= ALLOWED


def test_a_licence_that_asks_for_more_is_found_in_an_expression() -> None:
    assert atoms("MPL-2.0 AND (Apache-2.0 OR GPL-3.0-only)") - ALLOWED == {"GPL-3.0-only"}


def test_the_file_names_what_is_installed_here_and_nothing_that_is_gone() -> None:
    """Other systems and Pythons need some packages more or less: all are in the lock file."""
    told = rows()
    installed = {part.name: part.licence for part in [*PYTHON, *npm_parts()]}
    assert installed.items() <= told.items(), "run `python -m tests.release.licences`"
    locked = re.findall(r"^([\w.-]+)==", (ROOT / "constraints.txt").read_text(), re.MULTILINE)
    known = {canonicalize_name(name) for name in locked} | {part.name for part in npm_parts()}
    assert told.keys() <= known


@pytest.mark.node
def test_the_file_is_what_its_command_writes() -> None:
    bundled = page().partition("## Installed")[0]  # the rest depends on the system
    assert TEXT.startswith(bundled), "run `python -m tests.release.licences`"


@pytest.mark.full
@pytest.mark.node
def test_the_page_is_built_of_nothing_else(tmp_path: Path) -> None:
    """What the bundler read stands in the source maps, which it is asked for here."""
    for options in ([], ["--config", "vite.element.config.ts"]):
        vite("build", "--sourcemap", "--outDir", str(tmp_path), *options, cwd=UI / "app")
    maps = [json.loads(path.read_text())["sources"] for path in tmp_path.glob("*.map")]
    sources = [source for each in maps for source in each]
    assert any("react/src/" in source for source in sources)
    found = re.findall(r"node_modules/((?:@[\w.-]+/)?[\w.-]+)/", " ".join(sources))
    assert set(found) == set(BUNDLED)
