"""Let several gateway processes of one parent count into one folder, so that any tells of all.

prometheus-client keeps each value in a file that is mapped into memory. Here a file belongs to a
worker's seat and not to its process id: who takes the seat of one that died goes on counting where
that one stopped, so sums never fall, and there are never more files than seats.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import Final

from prometheus_client import CollectorRegistry, multiprocess, values

_FOLDER: Final = "PROMETHEUS_MULTIPROC_DIR"


def share(folder: str, seat: int) -> None:
    """Count into *folder* as number *seat*, whatever metrics this process makes from now on."""
    os.environ[_FOLDER] = folder
    values.ValueClass = values.MultiProcessValue(lambda: seat)  # type: ignore[no-untyped-call]


def vacated(folder: str, seat: int) -> None:
    """Drop what only a living process can say: who sat on *seat* is gone."""
    for file in Path(folder).glob(f"gauge_live*_{seat}.db"):
        file.unlink(missing_ok=True)


def of_all(own: CollectorRegistry) -> CollectorRegistry:
    """Make the registry of all who share with this process; its *own* if nobody does."""
    if not getattr(values.ValueClass, "_multiprocess", False):
        return own
    registry = CollectorRegistry()
    multiprocess.MultiProcessCollector(registry)  # type: ignore[no-untyped-call]
    return registry
