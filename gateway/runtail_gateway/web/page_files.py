"""Serve the pages, as `make ui` built them: the page at `/monitoring`, and that of the API."""

from __future__ import annotations

import gzip
import re
from functools import lru_cache
from importlib.resources import files
from mimetypes import guess_type
from pathlib import Path
from typing import Final

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import FileResponse, HTMLResponse, RedirectResponse, Response
from starlette.routing import Route

from runtail_gateway.logs.download import takes

FOLDER: Final = Path(str(files("runtail_gateway") / "page"))
_CONTENT: Final = {".html", ".css", ".js", ".svg"}
_PACKED: Final = {".css", ".js", ".svg"}
_HASHED: Final = re.compile(r"-[\w-]{8}\.(?:js|css)")  # as Vite names what it built
_POLICY: Final = "; ".join(
    [
        "default-src 'self'",
        "script-src 'self'",
        "style-src 'self'",
        "img-src 'self' data:",
        "connect-src 'self'",
        "object-src 'none'",
        "base-uri 'none'",
        "form-action 'none'",
        "require-trusted-types-for 'script'",
        "trusted-types 'none'",
    ]
)
HEADERS: Final = {
    "Content-Security-Policy": _POLICY,
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
}
_ASK_AGAIN: Final = {"Cache-Control": "no-cache"}
_FOR_EVER: Final = {"Cache-Control": "public, max-age=31536000, immutable"}


def page_routes() -> list[Route]:
    """List the routes of everything that is for people; none of it needs a token."""
    return [
        Route("/", _home),
        Route("/monitoring", _monitoring),
        Route("/monitoring/executions/{execution_id}", _monitoring_one),
        Route("/monitoring/{name}", _file),
        Route("/docs", _docs),
    ]


async def _home(request: Request) -> Response:
    return RedirectResponse(request.scope.get("root_path", "") + "/monitoring", 307)


def page_html(files_at: str) -> str:
    """Read the page for an address from which its files are at *files_at*, such as `monitoring/`.

    A prefix that only browsers see may stand before it all, so that addresses stay relative.
    """
    return (FOLDER / "index.html").read_text("utf-8").replace('="./', f'="{files_at}')


async def _monitoring(_: Request) -> Response:
    return HTMLResponse(page_html("monitoring/"), headers=HEADERS | _ASK_AGAIN)


async def _monitoring_one(_: Request) -> Response:
    """Answer the same page: it reads the execution from its address."""
    return HTMLResponse(page_html("../"), headers=HEADERS | _ASK_AGAIN)


async def _docs(_: Request) -> Response:
    return FileResponse(FOLDER / "docs.html", headers=HEADERS | _ASK_AGAIN)


async def _file(request: Request) -> Response:
    """Serve a file beside the page; one whose name carries a hash may be kept for ever."""
    file = FOLDER / request.path_params["name"]
    if file.suffix not in _CONTENT or file.parent != FOLDER or not file.is_file():
        raise HTTPException(404, f"the page has no file {file.name!r}")
    keep = _FOR_EVER if _HASHED.search(file.name) else _ASK_AGAIN
    headers = HEADERS | keep | {"Vary": "Accept-Encoding"}
    if file.suffix not in _PACKED or not takes("gzip", request.headers.get("accept-encoding", "")):
        return FileResponse(file, headers=headers)
    content = _gzipped(file, file.stat().st_mtime_ns)
    headers |= {"Content-Encoding": "gzip"}
    return Response(content, media_type=guess_type(file.name)[0], headers=headers)


@lru_cache(maxsize=64)  # more than there are
def _gzipped(file: Path, _modified_ns: int) -> bytes:
    """Compress *file*, once for all who ask for it."""
    return gzip.compress(file.read_bytes(), 9, mtime=0)
