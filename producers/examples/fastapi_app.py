"""FastAPI: a request starts a background job and is told the execution to watch. In this folder:

uvicorn fastapi_app:app
curl -X POST 'localhost:8000/reports?rows=100'
"""

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from fastapi import BackgroundTasks, FastAPI

import runtail
from runtail import Execution


@asynccontextmanager
async def lifespan(app: FastAPI) -> AsyncIterator[None]:
    yield
    # uvicorn ends by the signal that stopped it, which skips what Python does at the exit
    await asyncio.to_thread(runtail.shutdown)


app = FastAPI(lifespan=lifespan)


@app.post("/reports", status_code=202)
async def order_report(rows: int, jobs: BackgroundTasks) -> dict[str, str]:
    run = runtail.execution(workflow_id="report").begin()
    run.info("ordered", rows=rows)
    jobs.add_task(make_report, run, rows)
    return {"execution_id": run.id}


def make_report(run: Execution, rows: int) -> None:
    with run, run.step("render", step_type="pdf") as render:
        for _ in run.track(range(rows)):
            time.sleep(0.001)
        run.link("report", f"https://example.org/reports/{run.id}.pdf")
        render.output({"rows": rows})
