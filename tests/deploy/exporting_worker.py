"""A worker that exports its counters: `exporting_worker.py URL EXECUTION PORT`; ends at a line."""

from __future__ import annotations

import sys
import threading

from prometheus_client import start_http_server

from runtail import Publisher
from runtail.metrics_export import register


def main(url: str, execution_id: str, port: int) -> None:
    start_http_server(port, "127.0.0.1")
    said = threading.Event()

    def hear() -> None:
        sys.stdin.readline()
        said.set()

    threading.Thread(target=hear, daemon=True).start()
    with Publisher(url) as publisher:
        register(publisher)
        with publisher.execution(execution_id, workflow_id="exported") as run:
            number = 0
            while not said.wait(0.01):
                number += 1
                run.info(f"line {number}", step_name="work")


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], int(sys.argv[3]))
