"""A worker in a process of its own: `python -m tests.faults.worker_process URL EXECUTION`.

It is told what to do line by line, and answers each line with what it was told by then.
"""

from __future__ import annotations

import asyncio
import json
import logging
import signal
import sys
from dataclasses import asdict

from tests.faults.line_worker import Direct, LineWorker
from tests.producers.faults import FAST


def main(url: str, execution_id: str) -> None:
    """Take part in an execution until there is nothing more to do."""
    logging.disable(logging.CRITICAL)  # everything is away all the time
    worker = LineWorker(Direct(url), execution_id, FAST, owner=False)
    signal.signal(signal.SIGCONT, lambda *_: worker.forgive())
    _answer(worker)
    for line in sys.stdin:
        match line.split():
            case ["say", count, size]:
                worker.say(int(count), int(size))
                continue
            case ["flush", seconds]:
                asyncio.run(worker.flush(float(seconds)))
            case ["finish"]:
                worker.finish()
                continue
            case ["close"]:
                asyncio.run(worker.close())
        _answer(worker)


def _answer(worker: LineWorker) -> None:
    sys.stdout.write(json.dumps(asdict(worker.word)) + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    main(*sys.argv[1:])
