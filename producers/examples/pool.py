"""Processes of a pool take part in one execution of their parent: `python pool.py`.

The publisher goes to them as an argument; each process has its own thread, connection and buffer.
"""

import multiprocessing
import sys

from runtail import Publisher


def resize(publisher: Publisher, execution_id: str, picture: int) -> int:
    with publisher.join(execution_id) as run, run.step(f"picture {picture}"):
        run.info("resized", picture=picture)
    return 10 * picture


def main(execution_id: str) -> None:
    with (
        Publisher() as publisher,
        publisher.execution(execution_id, workflow_id="resize") as run,
    ):
        run.opened()  # `run.id` is final: another one if this id has finished before
        pool = multiprocessing.Pool(2)
        sizes = pool.starmap(resize, [(publisher, run.id, n) for n in range(6)])
        pool.close()  # a `with` block would kill the processes, with what they have not sent
        pool.join()
        run.metric("resized", sum(sizes), "bytes")


if __name__ == "__main__":
    main(sys.argv[1] if len(sys.argv) > 1 else "resize-1")
