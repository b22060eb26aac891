"""A nightly script: `python nightly.py` prints the id of its execution; watch it on the page.

It runs, and ends, as it would without runtail, whether an engine is there or not.
"""

import time

import runtail
from runtail import PlanStep


@runtail.step("extract", step_type="http")
def extract() -> list[int]:
    runtail.info("fetching", input_data={"url": "https://example.org/rows"})
    return list(range(50))


@runtail.step("load", step_type="sql")
def load(rows: list[int]) -> int:
    stored = 0
    for row in runtail.track(rows, name="rows"):
        if row == 0:
            runtail.warning("a row is empty", row=row)
            continue
        stored += 1
        time.sleep(0.002)
    return stored


def main() -> None:
    with runtail.execution(workflow_id="nightly") as run:
        print(run.id)
        run.set_plan(["extract", PlanStep("load", after=["extract"])])
        rows = extract()
        run.metric("stored", load(rows), "rows")
        run.link("table", "https://example.org/tables/rows")


if __name__ == "__main__":
    main()
