"""A worker for a process of its own that beats often: `beating_worker.py URL EXECUTION`.

It says when it is open, and completes after a line on stdin.
"""

from __future__ import annotations

import sys

from runtail import Publisher
from runtail.settings import PublisherSettings

SETTINGS = PublisherSettings(
    beat_seconds=0.3, retry_max_seconds=0.3, engine_timeout_seconds=1.0, held_seconds=5.0
)


def main() -> None:
    url, execution_id = sys.argv[1:]
    with Publisher(url, settings=SETTINGS) as publisher, publisher.execution(execution_id) as run:
        run.info("before")
        publisher.flush(30)
        sys.stdout.write("open\n")
        sys.stdout.flush()
        sys.stdin.readline()
        run.info("after")


if __name__ == "__main__":
    main()
