"""The operator's drill: restarts, a failover, a full disk and a changed key, under load.

    python -m tests.deploy.drill

writes what happened, and what the alerts said of it, to deploy/README.md. Two gateways behind
HAProxy, a primary with two replicas and three Sentinels, Prometheus: all with the shipped files,
only quicker (Sentinels notice after 1 s, alerts wait for a twelfth of their time).
"""

from __future__ import annotations

import asyncio
import os
import resource
import signal
import time
from collections import Counter
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import ExitStack, asynccontextmanager, contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

import psutil
from tests.deploy.prometheus import Prometheus, prometheus
from tests.deploy.shipped import DEPLOY
from tests.e2e.conftest import private_folder
from tests.e2e.processes import Gateway
from tests.e2e.test_proxies import started
from tests.engine_sets import SentinelSet, sentinel_set
from tests.engines import free_port
from tests.gateway.signing import OTHER_SECRET, SECRET, token
from tests.gateway.viewers.test_failover import Working, working
from tests.gateway.watcher import Watcher
from tests.polling import soon
from websockets.exceptions import WebSocketException

README: Final = DEPLOY / "README.md"
BEGIN, END = "<!-- by python -m tests.deploy.drill -->\n", "<!-- end -->"
QUICKER: Final = 12
NAME: Final = "the-drill"
VIEWERS: Final = 6


@dataclass
class Story:
    """What happened, in order, with the second in which it did."""

    begun: float = field(default_factory=time.monotonic)
    lines: list[tuple[float, str]] = field(default_factory=list)
    fired: list[str] = field(default_factory=list)

    def say(self, text: str) -> None:
        """Note that *text* happened now."""
        self.lines.append((time.monotonic() - self.begun, text))

    async def listen(self, told: Prometheus) -> None:
        """Note which alerts begin and end."""
        before: set[str] = set()
        while True:
            with suppress(OSError):
                now = set(await asyncio.to_thread(told.alerts))
                for name in sorted(now - before):
                    self.fired.append(name)
                    self.say(f"**{name}** fires")
                for name in sorted(before - now):
                    self.say(f"{name} is over")
                before = now
            await asyncio.sleep(0.3)

    def table(self) -> str:
        """Write it as a table."""
        rows = "\n".join(f"| {second:.0f} s | {text} |" for second, text in self.lines)
        return f"| when | what |\n| --- | --- |\n{rows}\n"


class Person(Watcher):
    """A viewer as the page is: whatever its connection's end, it comes back; it signs in anew."""

    def __init__(self, address: str, secret: Callable[[], str]) -> None:
        super().__init__(address, NAME)
        self._secret = secret
        self.ends: Counter[int] = Counter()

    async def follow(self) -> None:
        """Watch until it was told the end."""
        while self.close_code != 1000:
            self.headers = {"Authorization": f"Bearer {token(self._secret())}"}
            with suppress(WebSocketException, OSError, TimeoutError):
                await (self.come_back() if self.messages else self.connect(""))
                await self.until(lambda: self.close_code is not None, "it is closed", 300)
                self.ends[self.close_code or 0] += 1
            await asyncio.sleep(0.2)


@dataclass
class Drill:
    """The site, and who works and watches there."""

    engine: SentinelSet
    gateways: list[Gateway]
    prometheus: Prometheus
    worker: Working
    people: list[Person]
    story: Story
    secret: list[str]
    metrics_token: Path

    async def is_live(self) -> None:
        """Wait until everybody has got a hundred lines more than were published by now."""
        goal = self.worker.lines + 100
        await soon(lambda: all(len(each.texts) >= goal for each in self.people), "all are live", 90)

    async def restart_gateways(self) -> None:
        """Restart one after the other, each with SIGTERM; go on when it is ready."""
        for gateway in self.gateways:
            gateway.signal(signal.SIGTERM)
            await asyncio.to_thread(gateway.wait, 25)
            await asyncio.to_thread(gateway.start)

    async def resumes(self, outcome: str) -> float:
        """Ask how many came back with that outcome, over all lives of the gateways."""
        query = f'sum(increase(runtail_resumes_total{{outcome="{outcome}"}}[5m]))'
        return await asyncio.to_thread(self.prometheus.value, query) or 0.0


async def rolling_restart(drill: Drill) -> None:
    drill.story.say("both gateways are restarted, one after the other")
    await drill.restart_gateways()
    await drill.is_live()
    ends = sum((each.ends for each in drill.people), Counter[int]())
    assert ends[1012] >= VIEWERS, ends
    drill.story.say(f"all {VIEWERS} viewers are live again; {ends[1012]} times one was sent on")
    assert set(drill.story.fired) <= {"RuntailGatewayDown"}  # on a machine that is slow to start it


async def failover(drill: Drill) -> None:
    old = drill.engine.primary()
    old.kill()
    drill.story.say("the engine's primary is killed")
    await soon(lambda: drill.engine.primary() is not old, "another one is primary", 30)
    drill.story.say("the Sentinels have made a replica primary")
    await drill.is_live()
    drill.story.say("the viewers are live again")
    old.restart()
    await soon(drill.engine.is_whole, "it is a replica now", 60)
    drill.story.say("the old primary is back, as a replica")


async def full_disk(drill: Drill) -> None:
    # of one alone: Sentinels take a primary that refuses for one that is gone
    _limit_files(drill.engine, 4096)
    drill.story.say("the disks of all three engines are full: they refuse to write")
    try:
        await soon(lambda: "RuntailEngineErrors" in drill.story.fired, "an alert fires", 60)
    finally:
        _limit_files(drill.engine, resource.RLIM_INFINITY)
    drill.story.say("there is room again")
    await drill.is_live()
    drill.story.say("the viewers are live again, with all that the worker had kept")


def _limit_files(engine: SentinelSet, size: int) -> None:
    """Let no file grow beyond *size* bytes, which an engine takes for a full disk."""
    for server in engine.servers:
        assert server.process is not None
        limits = (size, resource.RLIM_INFINITY)
        psutil.Process(server.process.pid).rlimit(resource.RLIMIT_FSIZE, limits)


async def changed_key(drill: Drill) -> None:
    drill.secret[0] = OTHER_SECRET
    os.environ["RUNTAIL_AUTH_SECRET"] = OTHER_SECRET
    drill.metrics_token.write_text(_metrics_token(OTHER_SECRET))
    drill.story.say("the key that signs tokens is changed, and the gateways are restarted")
    await drill.restart_gateways()
    await drill.is_live()
    drill.story.say("the viewers have signed in anew, and are live again")
    script = asyncio.create_task(_with_an_old_token(drill.gateways[0]))
    drill.story.say("a script goes on with a token of the old key")
    try:
        name = "RuntailSignInsRefused"
        await soon(lambda: name in drill.story.fired, "the alert fires", 90)
    finally:
        script.cancel()
    drill.story.say("the script is stopped")


async def _with_an_old_token(gateway: Gateway) -> None:
    while True:
        viewer = Watcher(gateway.ws, NAME)
        viewer.headers = {"Authorization": f"Bearer {token(SECRET)}"}
        async with viewer:
            await viewer.closed()
        await asyncio.sleep(0.1)


STEPS: Final = (rolling_restart, failover, full_disk, changed_key)


async def run() -> Story:
    """Run the drill; AssertionError if anything was lost, or the alerts said something else."""
    async with site() as drill:
        story = drill.story
        await drill.is_live()
        story.say(f"a worker publishes, {VIEWERS} viewers watch through HAProxy")
        for step in STEPS:
            story.fired.clear()
            await step(drill)
            await soon(lambda: not drill.prometheus.alerts(), "no alert is left", 90)
        drill.worker.stop.set()
        await soon(lambda: all(each.close_code == 1000 for each in drill.people), "the end", 90)
        lines = [f"line {number}" for number in range(drill.worker.lines)]
        for person in drill.people:
            assert person.texts == lines
            assert person.gaps == []
        story.say(f"the end: every viewer has all {len(lines):,} lines, each once")
    assert drill.worker.all_stored
    return story


@asynccontextmanager
async def site() -> AsyncIterator[Drill]:
    """Set all up, and let the worker work and the people watch while the block lasts."""
    with ExitStack() as stack:
        place = stack.enter_context(private_folder())
        stack.enter_context(_environment())
        engine = stack.enter_context(sentinel_set("valkey", settings=("maxmemory 512mb",)))
        both = [_gateway(stack, engine.url, place) for _ in range(2)]
        port = free_port()
        stack.enter_context(started(_haproxy(place, [each.port for each in both], port)))
        secret, metrics_token = [SECRET], place / "metrics-token"
        metrics_token.write_text(_metrics_token(SECRET))
        ports = [each.port for each in both]
        told = stack.enter_context(prometheus(place, ports, token=metrics_token, quicker=QUICKER))
        async with working(engine.url, NAME) as worker:
            await worker.has_published(100)
            address = f"ws://127.0.0.1:{port}/runtail"
            people = [Person(address, lambda: secret[0]) for _ in range(VIEWERS)]
            story = Story()
            tasks = [asyncio.create_task(each.follow()) for each in people]
            tasks.append(asyncio.create_task(story.listen(told)))
            try:
                yield Drill(engine, both, told, worker, people, story, secret, metrics_token)
            finally:
                for task in tasks:
                    task.cancel()
                for person in people:
                    await person.leave()


def _gateway(stack: ExitStack, url: str, place: Path) -> Gateway:
    gateway = Gateway(url, place, "--trusted-proxy", "127.0.0.1", "--drain-seconds", "2")
    stack.callback(gateway.close)
    gateway.start()
    return gateway


@contextmanager
def _environment() -> Iterator[None]:
    """Let gateways that start meanwhile sign in people."""
    os.environ["RUNTAIL_AUTH_SECRET"] = SECRET
    try:
        yield
    finally:
        del os.environ["RUNTAIL_AUTH_SECRET"]


def _metrics_token(secret: str) -> str:
    return token(secret, lives=3600, scope="admin", executions=[])


def _haproxy(place: Path, ports: list[int], port: int) -> list[str]:
    """Configure the shipped HAProxy for two gateways, and let it look at them more often."""
    text = (DEPLOY / "haproxy.cfg").read_text().replace("127.0.0.1:8080", f"127.0.0.1:{port}")
    line = "server one 127.0.0.1:8000 check inter 2s"
    assert text.count(line) == 1
    servers = [f"server g{n} 127.0.0.1:{n} check inter 300ms" for n in ports]
    file = place / "haproxy.cfg"
    file.write_text(text.replace(line, "\n    ".join(servers)))
    return ["haproxy", "-f", str(file)]


def write(story: Story) -> None:
    """Put the table into the README."""
    text = README.read_text()
    before, _, rest = text.partition(BEGIN)
    _, _, after = rest.partition(END)
    README.write_text(f"{before}{BEGIN}{story.table()}{END}{after}")


if __name__ == "__main__":
    write(asyncio.run(run()))
