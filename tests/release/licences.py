"""Which licences come with runtail: of what a page contains, and of what an installation brings.

`python -m tests.release.licences` writes `gateway/THIRD_PARTY.md` anew.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from importlib.metadata import Distribution, distribution
from typing import Any

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name
from tests.web import ROOT, UI

FILE = ROOT / "gateway" / "THIRD_PARTY.md"
ALLOWED = frozenset(
    {
        "Apache-2.0",
        "BSD-2-Clause",
        "BSD-3-Clause",
        "ISC",
        "MIT",
        "MIT-0",
        "MPL-2.0",  # by file: it asks for changes of those files, and leaves ours alone
        "PSF-2.0",
    }
)
"""What may come with runtail: nothing that asks for more than notices, or for changes of itself."""

BUNDLED = ("preact",)
"""The npm packages in the built page; a test holds this against what the bundler reads."""

EXTRAS = frozenset({"all", "otel"})

_BY_CLASSIFIER = {
    "License :: OSI Approved :: MIT License": "MIT",
    "License :: OSI Approved :: Apache Software License": "Apache-2.0",
    "License :: OSI Approved :: BSD License": "BSD-3-Clause",
}
_HEAD = """\
# What comes with runtail, by whom, under which licence

runtail itself is under the [MIT licence](../LICENSE). A test holds this page against what is
installed and built, and every licence against a list of those that ask for nothing but their
notice, or for changes of their own files. `python -m tests.release.licences` writes it anew.
"""


@dataclass(frozen=True, slots=True)
class Part:
    """A package under its *licence*, an SPDX expression; "" if it names none that is known."""

    name: str
    licence: str


def atoms(expression: str) -> set[str]:
    """List the licences in an SPDX expression: *all* must be allowed, those joined by OR too."""
    return set(re.findall(r"[\w.+-]+", expression)) - {"AND", "OR", "WITH"}


def python_parts() -> list[Part]:
    """List what an installation with all extras brings on this machine, runtail left out."""
    names = sorted(_closure("runtail", EXTRAS) - {"runtail"})
    return [Part(name, licence_of(distribution(name))) for name in names]


def licence_of(found: Distribution) -> str:
    """Read the licence of a distribution: its expression, else its classifiers, else its word."""
    told = found.metadata.json
    classifiers = [*told.get("classifier", ())]
    known = [_BY_CLASSIFIER[each] for each in classifiers if each in _BY_CLASSIFIER]
    word = str(told.get("license", "")).partition("\n")[0]
    return str(told.get("license_expression", "")) or " OR ".join(known) or word


def npm_parts() -> list[Part]:
    """List what `npm install @runtail/client @runtail/react` brings, or needs beside itself."""
    locked = _locked()
    needed = {
        name
        for package in ("client", "react")
        for kind in ("dependencies", "peerDependencies", "optionalDependencies")
        for name in locked[package].get(kind, {})
        if not name.startswith("@runtail/")
    }
    return [_npm_part(name, locked) for name in sorted(needed)]


def bundled_parts() -> list[Part]:
    """List what the built page holds of others."""
    return [_npm_part(name, _locked()) for name in BUNDLED]


def page() -> str:
    """Return the text of the file; it needs what `npm ci` installs."""
    lines = [_HEAD, *_bundled()]
    lines += _table(
        "Installed beside the Python package, with all extras, on Linux", python_parts()
    )
    lines += _table("Installed beside the npm packages", npm_parts())
    return "\n".join(lines)


def _bundled() -> Iterator[str]:
    yield "## In the page\n"
    yield "The built page, which the wheel and the sdist hold, contains:\n"
    for part in bundled_parts():
        text = (UI / "node_modules" / part.name / "LICENSE").read_text().strip()
        yield f"### {part.name}, {part.licence}\n"
        yield f"```text\n{text}\n```\n"


def _locked() -> dict[str, dict[str, Any]]:
    packages: dict[str, dict[str, Any]]
    packages = json.loads((UI / "package-lock.json").read_text())["packages"]
    return packages


def _npm_part(name: str, locked: Mapping[str, Mapping[str, Any]]) -> Part:
    return Part(name, locked[f"node_modules/{name}"].get("license", ""))


def _table(title: str, parts: list[Part]) -> Iterator[str]:
    yield f"## {title}\n"
    yield "| package | licence |\n| --- | --- |"
    yield from (f"| {part.name} | {part.licence} |" for part in parts)
    yield ""


def _closure(root: str, extras: frozenset[str]) -> set[str]:
    """Name all distributions that *root* needs here, by its own canonical names."""
    seen: dict[str, frozenset[str]] = {}
    todo = [(root, extras)]
    while todo:
        name, wanted = todo.pop()
        known = seen.get(name)
        if known is not None and wanted <= known:
            continue
        seen[name] = wanted | (known or frozenset())
        todo += _needed(distribution(name), seen[name])
    return set(seen)


def _needed(found: Distribution, extras: frozenset[str]) -> Iterator[tuple[str, frozenset[str]]]:
    for line in found.requires or ():
        asked = Requirement(line)
        if asked.marker is None or any(asked.marker.evaluate({"extra": e}) for e in extras | {""}):
            yield canonicalize_name(asked.name), frozenset(asked.extras)


if __name__ == "__main__":
    FILE.write_text(page())
