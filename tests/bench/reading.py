"""W10: how fast a reader takes a history: the client in Node and Chromium, and the command."""

from __future__ import annotations

import asyncio
import shutil
import tempfile
import time
from pathlib import Path

from tests.bench.contender import OURS, Engine
from tests.bench.processes import Usage, command, gateway, running
from tests.bench.publishing import Plan as Publishing
from tests.bench.publishing import publish, publishing
from tests.bench.results import Run
from tests.bench.workloads import Sizes, names
from tests.browser import chromium
from tests.file_server import served
from tests.web import UI, built_client

_HERE = Path(__file__).parent
_PAGE = """<!doctype html><script type="module">
const {{ createClient }} = await import("/index.js");
const client = createClient({{ url: "{url}" }});
const began = performance.now();
let read = 0;
for await (const event of client.log("{execution}").events()) {{
  if (event.type === "record" && ++read >= {count}) break;
}}
document.title = String((performance.now() - began) / 1000);
</script>"""


def ways_of_reading() -> list[str]:
    """Name the readers that can run here."""
    built = (UI / "node_modules").is_dir() and shutil.which("node") is not None
    browser = ["chromium"] if built and shutil.which("chromium") else []
    return ["runtail tail", *(["node"] if built else []), *browser]


def reading(way: str, engine: Engine, sizes: Sizes) -> Run:
    """Store a history, and let *way* read it from the start: records/s, from its start on."""
    executions, count = names("reading", 1), sizes.history
    feed = {"url": engine.url}
    with publishing(Publishing(OURS, feed, executions, count, together=500)) as worker:
        publish(worker)
    with (
        tempfile.TemporaryDirectory() as folder,
        served(Path(folder)) as origin,
        gateway(engine.url, "--allowed-origin", origin) as (_, port),
    ):
        url = f"http://127.0.0.1:{port}"
        if way == "runtail tail":
            return _told(executions[0], url, count)
        library = built_client(Path(folder))
        if way == "node":
            return _in_node(library, url, executions[0], count)
        page = _PAGE.format(url=url, execution=executions[0], count=count)
        Path(folder, "page.html").write_text(page)
        return asyncio.run(_in_browser(f"{origin}/page.html", count))


def _told(execution: str, url: str, count: int) -> Run:
    """Follow with the command, its lines thrown away, until it has written all of them."""
    began = time.monotonic()
    with running("runtail", "tail", execution, "--url", url, "--json") as child:
        for _ in range(count):
            child.line()
        seconds, used = time.monotonic() - began, Usage(child.pid).cpu_seconds()
    return {"speed": count / seconds, "cpu": used * 1e6 / count}


def _in_node(library: Path, url: str, execution: str, count: int) -> Run:
    script = str(_HERE / "read_with_client.mjs")
    words = ["--experimental-websocket", "--no-warnings", script, str(library)]
    with command("node", *words, url, execution, str(count)) as child:
        answer = child.answer()
    return {"speed": count / answer["seconds"], "cpu": answer["cpu"] * 1e6 / count}


async def _in_browser(address: str, count: int) -> Run:
    async with chromium() as browser:
        page = await browser.new_page()
        await page.goto(address)
        await page.wait_for_function("document.title !== ''", timeout=60_000)
        return {"speed": count / float(await page.title())}
