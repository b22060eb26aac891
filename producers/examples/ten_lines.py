"""Publish a small workflow; watch it with `runtail tail hello-1` or in the browser."""

import sys
import time

from runtail import Publisher

name = sys.argv[1] if len(sys.argv) > 1 else "hello-1"
with Publisher() as publisher, publisher.execution(name, workflow_id="hello") as run:
    for n in range(1, 11):
        run.info(f"row {n} of 10", step_name="load", duration_ms=20)
        run.progress(n * 10)
        time.sleep(0.02)
