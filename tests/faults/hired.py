"""A worker in a process of its own, as the suite sees it: it can be killed, and stopped."""

from __future__ import annotations

import asyncio
import json
import signal
import subprocess
import sys
from contextlib import suppress
from dataclasses import replace

from tests.faults.line_worker import LineWorker, Link, look_for_last
from tests.faults.witness import Record, WorkerWord

from runtail.delivery.buffer import Counters

_START_SECONDS = 20.0
_ANSWER_SECONDS = 10.0  # more than was asked to wait


class Hired:
    """A process that takes part in an execution; says and does what `LineWorker` does."""

    def __init__(self, link: Link, execution_id: str) -> None:
        self.link, self.word, self.stopped = link, WorkerWord(""), False
        command = [sys.executable, "-m", "tests.faults.worker_process", link.url, execution_id]
        self._process = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        self._answers: asyncio.Queue[WorkerWord] = asyncio.Queue()
        self._reading = asyncio.create_task(asyncio.to_thread(self._read, asyncio.get_event_loop()))

    async def start(self) -> None:
        """Wait until it takes part."""
        await self._answer(_START_SECONDS)

    def say(self, count: int, size: int) -> None:
        """Let it log *count* lines; one that is dead says nothing."""
        if self._tell(f"say {count} {size}"):
            self.word.said += count

    async def flush(self, seconds: float) -> bool:
        """Wait until all is stored; False for one that cannot say so."""
        said = self.word.said
        if self.stopped or not self._tell(f"flush {seconds}"):
            return False
        await self._answer(seconds + _ANSWER_SECONDS)
        return self.word.acknowledged >= said

    def look_for_it(self, stored: list[Record]) -> None:
        """See `look_for_last`."""
        look_for_last(self.word, stored)

    def finish(self) -> None:
        """Let it leave."""
        self._tell("finish")

    def stop(self) -> None:
        """Stop the process; its connections stay."""
        self._process.send_signal(signal.SIGSTOP)
        self.stopped = True

    def go_on(self) -> None:
        """Let it go on."""
        self._process.send_signal(signal.SIGCONT)
        self.stopped = False

    def kill(self) -> None:
        """Kill it in the middle of what it does."""
        self._process.kill()
        self.word.killed = True

    async def close(self) -> None:
        """End its publisher, note its figures, and end the process."""
        try:
            if self._tell("close"):
                await self._answer(_ANSWER_SECONDS)
        finally:
            self._process.kill()
            await asyncio.to_thread(self._process.wait, 10)
            await self._reading
            await asyncio.to_thread(self.link.close)

    def _tell(self, line: str) -> bool:
        if self.word.killed or self._process.stdin is None:
            return False
        with suppress(OSError):
            self._process.stdin.write(line + "\n")
            self._process.stdin.flush()
            return True
        return False

    def _read(self, loop: asyncio.AbstractEventLoop) -> None:
        assert self._process.stdout is not None
        for line in self._process.stdout:
            fields = json.loads(line)
            word = WorkerWord(**fields | {"counters": Counters(**fields["counters"])})
            loop.call_soon_threadsafe(self._answers.put_nowait, word)

    async def _answer(self, seconds: float) -> None:
        """Take what it says of itself, but for how much it was told to say."""
        word = await asyncio.wait_for(self._answers.get(), seconds)
        self.word = replace(
            word,
            said=max(word.said, self.word.said),
            unreadable=self.word.unreadable,
            killed=self.word.killed,
        )


AnyWorker = LineWorker | Hired
