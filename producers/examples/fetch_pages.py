"""Several tasks of one event loop in one execution: `python fetch_pages.py`.

Logs, steps and executions find each other by `contextvars`, so that tasks never mix.
"""

import asyncio
import sys

from runtail import AsyncPublisher, Execution


async def fetch(run: Execution, page: int) -> int:
    async with run.step(f"page {page}", step_type="http", input_data={"page": page}) as step:
        await asyncio.sleep(0.01 * page)  # the request
        run.info("fetched", page=page)
        step.output({"bytes": 1000 * page})
    return 1000 * page


async def main(execution_id: str) -> None:
    async with AsyncPublisher() as publisher:
        async with publisher.execution(execution_id, workflow_id="fetch") as run:
            sizes = await asyncio.gather(*(fetch(run, page) for page in range(1, 5)))
            run.metric("fetched", sum(sizes), "bytes")
        if not await publisher.flush():
            print("not everything is stored:", publisher.counters)


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1] if len(sys.argv) > 1 else "fetch-1"))
