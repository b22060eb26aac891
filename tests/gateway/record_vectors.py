"""Record the messages of real runs into `vectors/`: `python -m tests.gateway.record_vectors`.

A file for each run of recorded_runs.py, a message a line; `client` holds what a client says.
"""

from __future__ import annotations

import asyncio
from pathlib import Path

import orjson
from tests.engines import embedded_engine
from tests.gateway.recorded_runs import RUNS, messages_of

VECTORS = Path(__file__).parent / "vectors"


def record() -> None:
    """Write all files anew."""
    VECTORS.mkdir(exist_ok=True)
    with embedded_engine() as engine_url:
        for name in RUNS:
            lines = map(orjson.dumps, asyncio.run(messages_of(name, engine_url)))
            (VECTORS / f"{name}.ndjson").write_bytes(b"\n".join(lines) + b"\n")


if __name__ == "__main__":
    record()
