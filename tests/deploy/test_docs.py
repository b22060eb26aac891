"""The documentation site: built without a warning, every name in it, no link that leads nowhere."""

from __future__ import annotations

import re
import sys
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote, urlsplit

import pytest
from tests.deploy.shipped import DEPLOY, check, installed

import runtail

DOCS = DEPLOY / "docs"
ROOT = DEPLOY.parent


class Page(HTMLParser):
    """What a page names, and what it leads to."""

    def __init__(self, path: Path) -> None:
        super().__init__()
        self.ids: set[str] = set()
        self.links: list[str] = []
        self.feed(path.read_text())

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        told = dict(attrs)
        self.ids.add(told.get("id") or "")
        self.links += [link for name in ("href", "src") if (link := told.get(name))]


def dead_links(site: Path) -> list[str]:
    """List the links within *site* that lead to no file, or to no place in it."""
    pages = {path: Page(path) for path in site.rglob("*.html")}
    dead = []
    for path, page in pages.items():
        for link in page.links:
            parts = urlsplit(link)
            if parts.scheme or parts.netloc:
                continue
            target = (path.parent / unquote(parts.path)).resolve() if parts.path else path
            known = pages[target].ids if target in pages else {parts.fragment}
            if not target.is_file() or parts.fragment not in known | {""}:
                dead.append(f"{path.relative_to(site)}: {link}")
    return dead


def test_the_reference_holds_every_public_name() -> None:
    """A name that the SDK offers and the reference leaves out is one that nobody finds."""
    text = (DOCS / "sdk.md").read_text()
    named = set(re.findall(r"\.\. auto\w+:: runtail\.(\w+)", text))
    assert named == set(runtail.__all__)


@pytest.mark.full
@pytest.mark.timeout(300)
def test_the_site_is_built_without_a_warning_and_has_no_dead_link(tmp_path: Path) -> None:
    """As `make docs` builds it, with Sphinx beside the tests' environment, not in it."""
    tools, site = tmp_path / "tools", tmp_path.resolve() / "site"
    pinned = ("--require-hashes", "-r", DOCS / "requirements.txt")
    check(installed("uv"), "pip", "install", "-q", "--target", tools, *pinned)
    build = [sys.executable, "-m", "sphinx", "-q", "-W", "--keep-going", "-c", str(DOCS)]
    check("env", f"PYTHONPATH={tools}", *build, str(ROOT), str(site))
    pages = {str(path.relative_to(site)) for path in site.rglob("*.html")}
    assert {"index.html", "README.html", "deploy/docs/sdk.html", "deploy/capacity.html"} <= pages
    assert dead_links(site) == []


def test_a_dead_link_is_found(tmp_path: Path) -> None:
    (tmp_path / "a.html").write_text('<p id="here"><a href="#here"><a href="#there"><a href="b">')
    assert dead_links(tmp_path) == ["a.html: #there", "a.html: b"]
