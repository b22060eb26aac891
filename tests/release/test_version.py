"""One version: `pyproject.toml` says it, and what must repeat it for its own tools agrees."""

from __future__ import annotations

import json
import re
import shutil
import tomllib
from importlib.metadata import version
from pathlib import Path

import pytest
from tests.release.version import set_version
from tests.web import ROOT, UI

from runtail_gateway.settings import GatewaySettings
from runtail_gateway.web.description import openapi

VERSION: str = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["version"]
PLACES = {
    "pyproject.toml": 1,
    "gateway/ui/client/package.json": 1,
    "gateway/ui/react/package.json": 2,
    "gateway/ui/package-lock.json": 3,
}
NPM = ("client", "react")
LOCKED = json.loads((UI / "package-lock.json").read_text())["packages"]


def test_what_is_installed_says_the_version() -> None:
    """`runtail --version`, the metrics and the documentation ask the installed package."""
    assert version("runtail") == VERSION, "run `make .venv/.ready`"


@pytest.mark.parametrize("name", NPM)
def test_an_npm_package_has_the_version(name: str) -> None:
    told = json.loads((UI / name / "package.json").read_text())
    assert (told["version"], LOCKED[name]["version"]) == (VERSION, VERSION)


def test_the_react_parts_need_the_client_of_their_own_version() -> None:
    """They are built, tested and published together, and know each other's insides."""
    told = json.loads((UI / "react" / "package.json").read_text())
    assert told["dependencies"] == LOCKED["react"]["dependencies"] == {"@runtail/client": VERSION}


def test_the_description_of_the_api_has_the_version() -> None:
    assert openapi(GatewaySettings())["info"]["version"] == VERSION


def test_the_changelog_begins_with_the_version() -> None:
    """Its first section is the version that is being made, or the newest that was."""
    (first, *_) = re.findall(r"^## (\S+)", (ROOT / "CHANGELOG.md").read_text(), re.MULTILINE)
    assert first == VERSION


def test_one_command_sets_all_of_them(tmp_path: Path) -> None:
    """A copy becomes 7.8.9, in every place, and nowhere else."""
    for name in PLACES:
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(ROOT / name, tmp_path / name)
    set_version("7.8.9", tmp_path)
    for name, count in PLACES.items():
        before, after = (ROOT / name).read_text(), (tmp_path / name).read_text()
        assert after.count("7.8.9") == count, name
        assert after.replace("7.8.9", VERSION) == before, name


def test_a_version_that_is_none_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=r"'v2', expected one like 1\.2\.3"):
        set_version("v2", tmp_path)
