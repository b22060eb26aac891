"""Every example runs as it stands."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

from tests.producers.stored import Stored

EXAMPLES = Path(__file__).parents[2] / "producers" / "examples"


def run(name: str, url: str, *arguments: str) -> None:
    subprocess.run(
        [sys.executable, str(EXAMPLES / name), *arguments],
        env={**os.environ, "RUNTAIL_REDIS_URL": url},
        check=True,
        timeout=30,
    )


def test_ten_lines_publish_a_complete_execution(
    engine_url: str, stored: Stored, execution_id: str
) -> None:
    run("ten_lines.py", engine_url, execution_id)
    assert stored.messages(execution_id) == [f"row {n} of 10" for n in range(1, 11)]
    assert stored.kinds(execution_id)[-1] == "end"
    assert stored.state(execution_id)["progress"] == "100.0"
