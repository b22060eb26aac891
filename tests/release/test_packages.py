"""What is installed from a wheel, or built from an sdist, has the page: no Node is needed there."""

from __future__ import annotations

import subprocess
import sys
import tarfile
import zipfile
from pathlib import Path

import pytest
from tests.web import PAGE, ROOT

BUILT = {path.name: path.read_bytes() for path in PAGE.iterdir()}


def packed(target: str, place: Path) -> Path:
    """Build the package as `pip` does, without looking anything up."""
    command = [sys.executable, "-m", "hatchling", "build", "-t", target, "-d", str(place)]
    subprocess.run(command, cwd=ROOT, check=True, capture_output=True, timeout=60)
    (made,) = place.iterdir()
    return made


def test_a_wheel_holds_the_built_page(tmp_path: Path) -> None:
    with zipfile.ZipFile(packed("wheel", tmp_path)) as wheel:
        pages = [name for name in wheel.namelist() if name.startswith("runtail_gateway/page/")]
        assert {Path(name).name: wheel.read(name) for name in pages} == BUILT
        (told,) = [name for name in wheel.namelist() if name.endswith("gateway/THIRD_PARTY.md")]
        assert b"Jason Miller" in wheel.read(told)  # the notice that a copy of Preact must carry


def test_an_sdist_holds_the_built_page_and_what_it_is_built_from(tmp_path: Path) -> None:
    with tarfile.open(packed("sdist", tmp_path)) as sdist:
        names = {name.split("/", 1)[1] for name in sdist.getnames()}
    assert {f"gateway/runtail_gateway/page/{name}" for name in BUILT} <= names
    for path in (
        "package-lock.json",
        "app/vite.config.ts",
        "app/index.html",
        "client/src/index.ts",
    ):
        assert f"gateway/ui/{path}" in names
    assert not [name for name in names if "node_modules" in name or "/dist/" in name]


@pytest.mark.parametrize("name", sorted(BUILT))
def test_a_built_file_tells_nothing_of_the_machine_that_built_it(name: str) -> None:
    """No path of it, and no registry that its parts came from."""
    text = BUILT[name].decode()
    for foreign in (str(ROOT), str(Path.home()) + "/", "node_modules", "npmjs", "localhost:"):
        assert foreign not in text


@pytest.mark.parametrize("folder", ["gateway/ui", "tests/gateway/clients"])
def test_the_lock_file_names_no_registry(folder: str) -> None:
    text = (ROOT / folder / "package-lock.json").read_text()
    assert '"integrity"' in text
    assert '"resolved": "http' not in text
