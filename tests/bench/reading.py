"""W10: how fast a reader takes a history: the client in Node and Chromium, and the command."""

from __future__ import annotations

import asyncio
import functools
import shutil
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

from tests.bench.contender import OURS, Engine
from tests.bench.processes import Usage, command, gateway
from tests.bench.publishing import Plan as Publishing
from tests.bench.publishing import publish, publishing
from tests.bench.workloads import Run, Sizes, names
from tests.browser import chromium
from tests.web import UI

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
        _files(Path(folder)) as origin,
        gateway(engine.url, "--allowed-origin", origin) as (_, port),
    ):
        url = f"http://127.0.0.1:{port}"
        if way == "runtail tail":
            return _told(executions[0], url, count)
        vite = UI / "node_modules" / "vite" / "bin" / "vite.js"
        words = ["node", str(vite), "build", "client", "--outDir", folder, "--emptyOutDir"]
        subprocess.run(words, cwd=UI, check=True, capture_output=True, timeout=60)
        if way == "node":
            return _in_node(Path(folder), url, executions[0], count)
        page = _PAGE.format(url=url, execution=executions[0], count=count)
        Path(folder, "page.html").write_text(page)
        return asyncio.run(_in_browser(f"{origin}/page.html", count))


def _told(execution: str, url: str, count: int) -> Run:
    """Follow with the command, its lines thrown away, until it has written all of them."""
    program = str(Path(sys.executable).with_name("runtail"))
    began = time.monotonic()
    with command(program, "tail", execution, "--url", url, "--json") as child:
        for _ in range(count):
            child.line()
        seconds, used = time.monotonic() - began, Usage(child.pid).cpu_seconds()
    return {"speed": count / seconds, "cpu": used * 1e6 / count}


def _in_node(folder: Path, url: str, execution: str, count: int) -> Run:
    script = str(_HERE / "read_with_client.mjs")
    words = ["--experimental-websocket", "--no-warnings", script, str(folder / "index.js")]
    with command("node", *words, url, execution, str(count)) as child:
        answer = child.answer()
    return {"speed": count / answer["seconds"], "cpu": answer["cpu"] * 1e6 / count}


async def _in_browser(address: str, count: int) -> Run:
    async with chromium() as browser:
        page = await browser.new_page()
        await page.goto(address)
        await page.wait_for_function("document.title !== ''", timeout=60_000)
        return {"speed": count / float(await page.title())}


@contextmanager
def _files(folder: Path) -> Iterator[str]:
    """Serve the files of *folder*; yields the origin."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), functools.partial(_Quiet, directory=str(folder)))
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


class _Quiet(SimpleHTTPRequestHandler):
    def log_message(self, format: str, *args: object) -> None:
        """Say nothing."""
