"""A run as a reader meets it: steps, data, a traceback, and much that came after its failure."""

from __future__ import annotations

from contextlib import suppress

from runtail import Execution, Publisher

LONG_RUN = "nightly-1"
ORDERS = {"page": 3, "orders": [{"id": 4711, "paid": True}, {"id": 4712, "paid": False}]}


class OrderError(Exception):
    """What the step *load* fails with."""


def publish_long_run(redis_url: str) -> None:
    """Publish a run of more than 3,000 lines that failed long before its end."""
    with (
        Publisher(redis_url) as publisher,
        suppress(OrderError),
        publisher.execution(LONG_RUN, workflow_id="nightly") as run,
    ):
        with run.step("extract"):
            write_lines(run, 300)
            run.info("a page with data", output_data=ORDERS)
        failure = _load(run)
        with run.step("clean up"):
            write_lines(run, 2000)
        raise failure


def write_lines(run: Execution, count: int) -> None:
    for number in range(1, count + 1):
        level = run.warning if number % 100 == 0 else run.info
        level(f"page {number} of {count}")


def _load(run: Execution) -> OrderError:
    """Let a step fail after 900 lines."""
    try:
        with run.step("load"):
            write_lines(run, 900)
            raise OrderError("order 4711 has no customer")
    except OrderError as failure:
        return failure
