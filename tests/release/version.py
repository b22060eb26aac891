"""Set the version: `python -m tests.release.version 0.2.0`.

`pyproject.toml` says it; npm's files must repeat it. All else asks the installed package.
"""

from __future__ import annotations

import re
import sys
from pathlib import Path

from tests.web import ROOT

_PLACES = {  # file → what stands before the version, wherever it is ours
    "pyproject.toml": r'^version = "',
    "gateway/ui/client/package.json": r'^  "version": "',
    "gateway/ui/react/package.json": r'(?:^  "version": "|"@runtail/client": ")',
    "gateway/ui/package-lock.json": (
        r'(?:"name": "@runtail/\w+",\s+"version": "|"@runtail/client": ")'
    ),
}


def set_version(version: str, root: Path = ROOT) -> None:
    """Write *version* into every file below *root* that says it.

    Raises ValueError if it is no version.
    """
    if not re.fullmatch(r"\d+\.\d+\.\d+", version):
        raise ValueError(f"{version!r}, expected one like 1.2.3")
    for name, before in _PLACES.items():
        place = root / name
        said = re.compile(rf'({before})[^"]+', re.MULTILINE)
        place.write_text(said.sub(lambda found: found[1] + version, place.read_text()))


if __name__ == "__main__":
    set_version(sys.argv[1])
