"""Run many executions at once: `many_runs.py URL COUNT`; each 10 records/s, progress every second.

It says `running` when all are open, and goes on until its standard input ends.
"""

from __future__ import annotations

import sys
import threading
import time
from contextlib import ExitStack

from runtail import Publisher

RATE = 10
FLOWS = ("nightly-import", "report", "train-model", "sync")


def main(url: str, count: int) -> None:
    """Open them, say so, publish."""
    over = threading.Event()
    with ExitStack() as stack:
        publisher = stack.enter_context(Publisher(redis_url=url))
        runs = [
            stack.enter_context(
                publisher.execution(f"{FLOWS[n % 4]}-{n}", workflow_id=FLOWS[n % 4])
            )
            for n in range(count)
        ]
        sys.stdout.write("running\n")
        sys.stdout.flush()
        threading.Thread(target=_until_told, args=(over,), daemon=True).start()
        tick = 0
        due = time.monotonic()
        while not over.is_set():
            for n, run in enumerate(runs):
                run.info(f"row {tick} of 10000 was read", step_name="load")
                if tick % RATE == n % RATE:
                    run.progress(tick / 10 % 100)
            tick += 1
            due += 1 / RATE
            time.sleep(max(0.0, due - time.monotonic()))


def _until_told(over: threading.Event) -> None:
    sys.stdin.read()
    over.set()


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]))
