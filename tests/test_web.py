"""The checks of the web part: whether they can run, and that a page built from else is noticed."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests import web


@pytest.mark.parametrize(
    ("told", "enough"),
    [("v20.19.0", True), ("v22.1.0", True), ("v20.18.3", False), ("v8.99.0", False), ("?", False)],
)
def test_an_old_node_is_as_good_as_none(told: str, enough: bool) -> None:
    """Vite needs 20.19; what cannot be read is old."""
    assert (web.node_version(told) >= web.OLDEST_NODE) is enough


def test_a_machine_without_node_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "/nowhere")
    assert web.left_out() == "the web tests: no node on PATH"


def test_a_node_that_is_too_old_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("node", "npm"):
        program = tmp_path / name
        program.write_text("#!/bin/sh\necho v18.20.4\n")
        program.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path))
    assert web.left_out() == "the web tests: node is v18.20.4, expected at least 20.19"


def test_each_file_that_differs_is_named(tmp_path: Path) -> None:
    """Changed, one too few, one too many: any of them is another page."""
    one, other = tmp_path / "one", tmp_path / "other"
    for folder, files in ((one, "abc"), (other, "abd")):
        folder.mkdir()
        for name in files:
            (folder / f"{name}.js").write_text(name)
    (other / "b.js").write_text("changed")
    assert web.differences(one, other) == ["b.js", "c.js", "d.js"]
    assert web.differences(one, one) == []
