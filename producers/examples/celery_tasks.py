"""Celery: each task is an execution, under an id that the caller knows. In this folder:

celery -A celery_tasks worker --pool prefork --concurrency 2
python celery_tasks.py        # sends two tasks, and says how to watch them
"""

import os
import time

from celery import Celery, Task

import runtail

app = Celery("celery_tasks", broker=os.environ.get("BROKER_URL", "redis://localhost:6379/1"))


# the publisher is made by the first task of each worker process, and flushed at its end
@app.task(bind=True)
def import_file(self: "Task[[str, int], int]", name: str, rows: int) -> int:
    with runtail.execution(f"import-{self.request.id}", workflow_id="import") as run:
        run.info("importing", file=name)
        with runtail.step("check"):
            if rows == 0:
                raise ValueError(f"{name} is empty")
        with runtail.step("load", input_data={"rows": rows}) as load:
            for _ in runtail.track(range(rows)):
                time.sleep(0.001)
            load.output({"stored": rows})
    return rows


def main() -> None:
    for arguments in (("good.csv", 100), ("empty.csv", 0)):
        task = import_file.delay(*arguments)
        print(f"runtail tail --wait import-{task.id}")


if __name__ == "__main__":
    main()
