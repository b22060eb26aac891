"""The npm packages, packed as they are published and installed where nothing else is."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Sequence
from pathlib import Path

import pytest
from tests.e2e.test_readme import fenced
from tests.web import UI

pytestmark = [pytest.mark.full, pytest.mark.node, pytest.mark.timeout(300)]
LOCKED = json.loads((UI / "package-lock.json").read_text())["packages"]
TYPES = ("typescript", "@types/react", "@types/react-dom")

IMPORTS = """\
import { createElement } from "react";
import { renderToString } from "react-dom/server";
import { createClient, type LogSnapshot } from "@runtail/client";
import { notesStore } from "@runtail/client/notes";
import { ExecutionLogViewer, RuntailProvider } from "@runtail/react";

const client = createClient({ url: "http://127.0.0.1:9" });
const snapshot: LogSnapshot = client.log("nightly-1", { tail: 5 }).getSnapshot();
const viewer = createElement(ExecutionLogViewer, { executionId: "nightly-1" });
const page = renderToString(createElement(RuntailProvider, { client, children: viewer }));
console.log(snapshot.connectionStatus, typeof notesStore, page.includes("Log of nightly-1"));
"""
WRONG = """\
import { createClient } from "@runtail/client";
import { ExecutionLogViewer } from "@runtail/react";

createClient({ adress: "http://127.0.0.1:9" });
export const viewer = <ExecutionLogViewer executionId={7} />;
"""
OPTIONS = {
    "strict": True,
    "exactOptionalPropertyTypes": True,
    "skipLibCheck": False,  # the packages' own types are checked too
    "target": "ES2022",
    "lib": ["ES2023", "DOM", "DOM.Iterable"],
    "jsx": "react-jsx",
    "types": [],
    "outDir": "made",
    "rootDir": ".",
}


def run(folder: Path, *command: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=120)


def done(folder: Path, *command: str) -> str:
    """Run a program, which must be content; return what it wrote."""
    ran = run(folder, *command)
    assert ran.returncode == 0, ran.stdout + ran.stderr
    return ran.stdout


@pytest.fixture(scope="module")
def packed(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    """Pack both; packing builds them."""
    place = tmp_path_factory.mktemp("packed")
    for name in ("client", "react"):
        done(UI / name, "npm", "pack", "--silent", "--pack-destination", str(place))
    return sorted(place.glob("*.tgz"))


def beside(version: str) -> list[str]:
    """Name what a project with this React has, in the versions of the lock file."""
    if version == "19":
        return [_locked(name) for name in ("react", "react-dom", *TYPES)]
    older = [f"{name}@{told}" for name, told in LOCKED["react-18"]["dependencies"].items()]
    return [*older, _locked("typescript"), "@types/react@18", "@types/react-dom@18"]


def _locked(name: str) -> str:
    return f"{name}@{LOCKED[f'node_modules/{name}']['version']}"


def folder_with(packages: Sequence[Path], others: Sequence[str], place: Path) -> Path:
    """Install *packages* in an empty folder, with what a project has beside them."""
    (place / "package.json").write_text('{"name": "project", "private": true, "type": "module"}')
    options = ("--silent", "--no-audit", "--no-fund")
    done(place, "npm", "install", *options, *map(str, packages), *others)
    return place


def checked(folder: Path, module: str, resolution: str) -> subprocess.CompletedProcess[str]:
    """Check the types of what is in *folder*, and write it as JavaScript."""
    options = OPTIONS | {"module": module, "moduleResolution": resolution}
    (folder / "tsconfig.json").write_text(
        json.dumps({"compilerOptions": options, "include": ["*.ts", "*.tsx"]})
    )
    return run(folder, "npx", "--no-install", "tsc", "-p", ".")


@pytest.mark.parametrize("version", ["19", "18"])
def test_a_project_imports_them_and_has_their_types(
    packed: list[Path], version: str, tmp_path: Path
) -> None:
    folder = folder_with(packed, beside(version), tmp_path)
    assert {path.name for path in folder.glob("node_modules/@runtail/*")} == {"client", "react"}
    (folder / "imports.ts").write_text(IMPORTS)
    snippets = [text for text in fenced(UI / "react" / "README.md", "tsx") if "import " in text]
    assert len(snippets) >= 2
    for number, text in enumerate(snippets):
        (folder / f"snippet{number}.tsx").write_text(text)
    for module, resolution in (("nodenext", "nodenext"), ("esnext", "bundler")):
        told = checked(folder, module, resolution)
        assert told.returncode == 0, (module, told.stdout)
        assert done(folder, "node", "made/imports.js") == "connecting function true\n"


def test_a_wrong_use_is_a_wrong_type(packed: list[Path], tmp_path: Path) -> None:
    """Were the types missing, everything would be `any`, and nothing wrong."""
    folder = folder_with(packed, beside("19"), tmp_path)
    (folder / "wrong.tsx").write_text(WRONG)
    told = checked(folder, "nodenext", "nodenext").stdout
    assert "'adress' does not exist" in told
    assert "Type 'number' is not assignable to type 'string" in told


def test_a_package_holds_its_licence_and_its_readme_and_no_sources(packed: list[Path]) -> None:
    for package in packed:
        names = done(package.parent, "tar", "tzf", package.name).split()
        assert {"package/LICENSE", "package/README.md", "package/dist/index.d.ts"} <= set(names)
        assert not [name for name in names if "/src/" in name or "/tests/" in name]
