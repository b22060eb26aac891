"""The files of the pages: where they are found, how long they are kept, what they may do."""

from __future__ import annotations

import os
import re
from pathlib import Path
from urllib.parse import urljoin

import pytest
from tests.gateway.running import Running

from runtail_gateway.web import page_files

POLICY = {
    "default-src": "'self'",
    "script-src": "'self'",
    "style-src": "'self'",
    "img-src": "'self' data:",
    "connect-src": "'self'",
    "object-src": "'none'",
    "base-uri": "'none'",
    "form-action": "'none'",
    "require-trusted-types-for": "'script'",
    "trusted-types": "'none'",
    "frame-ancestors": "'self'",
}


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder in place of that of the pages."""
    monkeypatch.setattr(page_files, "FOLDER", tmp_path)
    return tmp_path


@pytest.mark.parametrize("path", ["/monitoring", "/monitoring/executions/a", "/docs"])
async def test_a_page_may_run_nothing_but_its_own_files(pushing: Running, path: str) -> None:
    """No inline script or style, nothing evaluated, no text made into markup."""
    async with pushing.http.get(pushing.address + path) as answer:
        told = answer.headers["Content-Security-Policy"].split("; ")
        assert dict(rule.split(" ", 1) for rule in told) == POLICY
        assert answer.headers["Cache-Control"] == "no-cache"
        assert answer.content_type == "text/html"


@pytest.mark.parametrize("path", ["/monitoring", "/monitoring/executions/a%20b", "/docs"])
async def test_a_page_finds_its_files_from_each_of_its_addresses(
    pushing: Running, path: str
) -> None:
    """By relative addresses: nobody tells the page below which path people see it."""
    async with pushing.http.get(pushing.address + path) as answer:
        files = re.findall(r'(?:href|src)="([^"]+\.(?:js|css|svg))"', await answer.text())
    assert len(files) >= 3
    assert not [file for file in files if file.startswith("/")]
    for file in files:
        async with pushing.http.get(urljoin(pushing.address + path, file)) as answer:
            assert answer.status == 200, file


@pytest.mark.parametrize(
    ("name", "content", "kept"),
    [
        ("index-TZrNw7d_.css", "text/css", "public, max-age=31536000, immutable"),
        ("index-xDr6bRk7.js", "text/javascript", "public, max-age=31536000, immutable"),
        ("runtail-log.js", "text/javascript", "no-cache"),
        ("gallery.html", "text/html", "no-cache"),
        ("favicon.svg", "image/svg+xml", "no-cache"),
    ],
)
async def test_only_a_file_whose_name_changes_with_it_is_kept_for_ever(
    pushing: Running, folder: Path, name: str, content: str, kept: str
) -> None:
    (folder / name).write_text("…")
    async with pushing.http.get(f"{pushing.address}/monitoring/{name}") as answer:
        assert (answer.content_type, answer.headers["Cache-Control"]) == (content, kept)


@pytest.mark.parametrize(
    ("accepted", "coding"),
    [("gzip, br", "gzip"), ("br", None), ("gzip;q=0", None), ("", None)],
)
async def test_a_script_is_compressed_for_who_takes_that(
    pushing: Running, folder: Path, accepted: str, coding: str | None
) -> None:
    text = "export const answer = 42;\n" * 500
    (folder / "index-xDr6bRk7.js").write_text(text)
    headers = {"Accept-Encoding": accepted}
    address = f"{pushing.address}/monitoring/index-xDr6bRk7.js"
    async with pushing.http.get(address, headers=headers) as answer:
        assert answer.headers.get("Content-Encoding") == coding
        assert answer.headers["Vary"] == "Accept-Encoding"
        assert answer.content_type == "text/javascript"
        assert await answer.text() == text
        assert (int(answer.headers["Content-Length"]) < 500) == (coding == "gzip")


async def test_a_file_that_was_built_anew_is_compressed_anew(
    pushing: Running, folder: Path
) -> None:
    file = folder / "runtail-log.js"
    for text in ("one", "another"):
        file.write_text(text)
        os.utime(file, ns=(len(text), len(text)))
        async with pushing.http.get(f"{pushing.address}/monitoring/{file.name}") as answer:
            assert await answer.text() == text


@pytest.mark.parametrize("name", ["..%2Fapp.py", "..%5Capp.py", "secret.py", "none.js", "%00.js"])
async def test_what_is_no_file_of_the_page_is_not_found(
    pushing: Running, folder: Path, name: str
) -> None:
    (folder / "secret.py").write_text("…")
    async with pushing.http.get(f"{pushing.address}/monitoring/{name}") as answer:
        assert answer.status == 404
