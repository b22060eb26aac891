"""Workers for a process of their own: `workers.py ROLE URL EXECUTION COUNT`; each says when done.

Only the public SDK is used, as anybody's worker would use it.
"""

from __future__ import annotations

import asyncio
import itertools
import json
import sys
import time
from collections.abc import Iterator

from runtail import AsyncPublisher, Publisher

BURST = 250
PAUSE_SECONDS = 0.02


def ready(name: str, numbers: range) -> list[bytes]:
    """Make records that are JSON already, some of them warnings."""
    return [
        json.dumps(
            {"message": f"{name} {i}", "level": "warning" if i % 10 == 0 else "info"}
        ).encode()
        for i in numbers
    ]


def bursts(count: int) -> Iterator[range]:
    """Split *count* numbers into ranges."""
    return (range(low, min(low + BURST, count)) for low in range(0, count, BURST))


def tell(*facts: object) -> None:
    """Say something to whoever started this."""
    sys.stdout.write(" ".join(map(str, facts)) + "\n")
    sys.stdout.flush()


def owner(url: str, execution_id: str, count: int) -> None:
    """Own the execution: single records and ready ones in turn; leave after a line on stdin."""
    with Publisher(url) as publisher, publisher.execution(execution_id, workflow_id="e2e") as run:
        for turn, numbers in enumerate(bursts(count)):
            if turn % 2:
                run.write(ready("owner", numbers))
            else:
                for i in numbers:
                    run.info(f"owner {i}", step_name="load", output_data={"row": i})
            time.sleep(PAUSE_SECONDS)
        tell(publisher.flush(30), publisher.counters.dropped)
        sys.stdin.readline()


async def participant(url: str, execution_id: str, count: int) -> None:
    """Take part, from asyncio; leave when all is written."""
    async with AsyncPublisher(url) as publisher, publisher.join(execution_id) as run:
        for turn, numbers in enumerate(bursts(count)):
            if turn % 3:
                run.write(ready("participant", numbers))
            else:
                for i in numbers:
                    run.error(f"participant {i}", error_message="none, really")
            await asyncio.sleep(PAUSE_SECONDS)
        tell(await publisher.flush(30), publisher.counters.dropped)


def endless(url: str, execution_id: str, _: int) -> None:
    """Publish for ever; say each number after it was stored, so that it is known to be safe."""
    with Publisher(url) as publisher, publisher.execution(execution_id) as run:
        for number in itertools.count():
            run.info(f"line {number}")
            if publisher.flush(5):
                tell(number)
            time.sleep(PAUSE_SECONDS)


def main() -> None:
    role, url, execution_id, count = sys.argv[1:]
    if role == "participant":
        asyncio.run(participant(url, execution_id, int(count)))
    else:
        {"owner": owner, "endless": endless}[role](url, execution_id, int(count))


if __name__ == "__main__":
    main()
