"""A private place on this machine, in which nobody's real engines are seen or touched."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest


def private_place(patch: pytest.MonkeyPatch) -> Iterator[Path]:
    """Yield a folder with a short path (a socket must fit in it) that is home to all that is told
    by the environment; the folder goes in the end.
    """
    place = Path(tempfile.mkdtemp(prefix="rt-", dir="/tmp"))
    for name in ("HOME", "XDG_DATA_HOME", "XDG_STATE_HOME", "XDG_RUNTIME_DIR", "TMPDIR"):
        folder = place / name.lower()
        folder.mkdir(mode=0o700)
        patch.setenv(name, str(folder))
    patch.delenv("RUNTAIL_DATA", raising=False)
    patch.setattr(tempfile, "tempdir", str(place / "tmpdir"))
    yield place
    shutil.rmtree(place)
