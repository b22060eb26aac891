"""What is checked of gateway/ui: types and lint, its tests, and that the built page is its own."""

from __future__ import annotations

import hashlib
import os
import re
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path
from tempfile import TemporaryDirectory

ROOT = Path(__file__).parents[1]
UI = ROOT / "gateway" / "ui"
PAGE = ROOT / "gateway" / "runtail_gateway" / "page"
OLDEST_NODE = (20, 19)
_STAMP = Path("node_modules", ".runtail-lock")  # the lock file that was installed


def left_out() -> str | None:
    """Say why the web tests cannot run here; None: they can."""
    if shutil.which("node") is None or shutil.which("npm") is None:
        return "the web tests: no node on PATH"
    told = _run("node", "--version")[1].strip()
    if node_version(told) < OLDEST_NODE:
        oldest = ".".join(map(str, OLDEST_NODE))
        return f"the web tests: node is {told}, expected at least {oldest}"
    return None


def node_version(told: str) -> tuple[int, ...]:
    """Read major and minor of what `node --version` said; (0,) of anything else."""
    found = re.match(r"v(\d+)\.(\d+)", told)
    return tuple(map(int, found.groups())) if found else (0,)


def installed() -> tuple[int, str]:
    """Install what the lock file names, unless that was done; return exit code and output."""
    lock = hashlib.sha256((UI / "package-lock.json").read_bytes()).hexdigest()
    stamp = UI / _STAMP
    if stamp.exists() and stamp.read_text() == lock:
        return 0, ""
    code, said = _run("npm", "ci", "--no-audit", "--no-fund")
    if code == 0:
        stamp.write_text(lock)
    return code, said


def vite(*words: str, cwd: Path = UI) -> None:
    """Run vite as it is installed, as the builds do."""
    program = UI / "node_modules" / "vite" / "bin" / "vite.js"
    command = ["node", str(program), *words]
    subprocess.run(command, cwd=cwd, check=True, capture_output=True, timeout=60)


def built_client(place: Path) -> Path:
    """Build the client library into *place*, as `npm run build` does; its module."""
    vite("build", "client", "--outDir", str(place), "--emptyOutDir")
    return place / "index.js"


def built_page() -> tuple[int, str]:
    """Build the page anew, beside the one that is committed, and compare the two."""
    with TemporaryDirectory() as made:
        code, said = _run("npm", "run", "build", "-w", "app", RUNTAIL_PAGE_OUT=made)
        if code:
            return code, said
        differing = differences(PAGE, Path(made))
    if not differing:
        return 0, ""
    return 1, f"not what its source builds: {', '.join(differing)}. Run `make ui`, and commit it"


def differences(one: Path, other: Path) -> list[str]:
    """List the names of files that are not the same, byte by byte, in both folders."""
    names = {path.relative_to(folder) for folder in (one, other) for path in folder.rglob("*.*")}
    return sorted(str(name) for name in names if _bytes(one / name) != _bytes(other / name))


CHECKS: dict[str, Callable[[], tuple[int, str]]] = {
    "ui: check": lambda: _run("npm", "run", "check"),
    "ui: test": lambda: _run("npm", "test"),
    "ui: built page": built_page,
}


def _bytes(path: Path) -> bytes | None:
    return path.read_bytes() if path.is_file() else None


def _run(*command: str, **environment: str) -> tuple[int, str]:
    done = subprocess.run(
        command,
        cwd=UI,
        env=os.environ | environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    return done.returncode, done.stdout
