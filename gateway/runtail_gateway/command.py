"""The sub-commands `runtail gateway` and `runtail demo`."""

from __future__ import annotations

import argparse
import os
import socket
import sys
import threading
import urllib.error
import urllib.request
from contextlib import ExitStack
from datetime import datetime
from pathlib import Path

from runtail.command import Command
from runtail_broker.engine import EngineError, start_engine
from runtail_gateway.app import create_app
from runtail_gateway.auth_settings import SECRET_NAME, AuthSettings, is_loopback
from runtail_gateway.serve import server
from runtail_gateway.settings import GatewaySettings

EPILOG = """\
signing in (`runtail demo` leaves it off):
  RUNTAIL_AUTH_SECRET     secret that signs tokens (HS256), at least 32 bytes; see `runtail token`
  RUNTAIL_AUTH_JWKS_URL   or: where the public keys of who signs them are (RS256, ES256, EdDSA)
  RUNTAIL_AUTH_AUDIENCE   what tokens must name as aud
  RUNTAIL_AUTH_ISSUER     what tokens must name as iss
  RUNTAIL_SHARE_SECRET    signs share links where there is no RUNTAIL_AUTH_SECRET"""


def _configure(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--host", default="127.0.0.1", help="address to listen on")
    parser.add_argument(
        "--port", type=int, default=8000, help="port to listen on; 0 for a free one"
    )
    parser.add_argument(
        "--redis-url",
        default=os.environ.get("RUNTAIL_REDIS_URL"),
        help="engine to use ($RUNTAIL_REDIS_URL); without one the embedded engine is started",
    )
    parser.add_argument("--data", type=Path, help="folder of the embedded engine's data")
    parser.add_argument(
        "--insecure", action="store_true", help="listen on other addresses though nobody signs in"
    )
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    parser.epilog = EPILOG


def _gateway(arguments: argparse.Namespace) -> int:
    return _run(arguments, demo=False)


def _demo(arguments: argparse.Namespace) -> int:
    return _run(arguments, demo=True)


def _run(arguments: argparse.Namespace, *, demo: bool) -> int:
    try:
        auth = None if demo else AuthSettings.from_environment(os.environ)
    except ValueError as error:
        return _fail(str(error))
    if auth is None and not arguments.insecure and not is_loopback(arguments.host):
        return _fail(
            f"--host {arguments.host} is open to others and nobody signs in: expected a loopback "
            f"address, or ${SECRET_NAME} to sign in with, or --insecure if that is meant"
        )
    with ExitStack() as stack:
        url = arguments.redis_url
        if url is None:
            try:
                url = stack.enter_context(start_engine(arguments.data)).url
            except EngineError as error:
                return _fail(str(error))
        try:
            listener = stack.enter_context(_listener(arguments.host, arguments.port, demo))
        except OSError as error:
            return _fail(
                f"port {arguments.port} of {arguments.host} is taken ({error}): choose a free one"
            )
        _serve(url, listener, GatewaySettings(auth=auth), demo=demo)
    return 0


def _serve(url: str, listener: socket.socket, settings: GatewaySettings, *, demo: bool) -> None:
    host, port = listener.getsockname()[:2]
    base = f"http://{f'[{host}]' if ':' in host else host}:{port}"

    def started() -> None:
        print(f"runtail: watch runs at {base}/monitoring (Ctrl-C ends it)", flush=True)  # noqa: T201
        if demo:
            threading.Thread(target=_start_demo, args=(base,), daemon=True).start()

    try:
        server(create_app(settings, url), on_started=started).run(sockets=[listener])
    except KeyboardInterrupt:
        return  # uvicorn has shut down; it raises the signal again for whoever started it


def _listener(host: str, port: int, demo: bool) -> socket.socket:
    """Listen on *port*; the demo takes a free one when that is taken."""
    try:
        return socket.create_server((host, port), backlog=2048)
    except OSError:
        if not demo:
            raise
        return socket.create_server((host, 0), backlog=2048)


def _start_demo(base: str) -> None:
    name = datetime.now().strftime("demo-%Y%m%d-%H%M%S")
    request = urllib.request.Request(f"{base}/executions/{name}/start-streaming", method="POST")
    try:
        with urllib.request.urlopen(request, timeout=10):
            print(f"runtail: {name} is running; or: runtail tail {name} --url {base}", flush=True)  # noqa: T201
    except urllib.error.URLError as error:
        _fail(f"the demo run did not start: {error}")


def _fail(text: str) -> int:
    print(f"runtail: {text}", file=sys.stderr)  # noqa: T201
    return 1


GATEWAY = Command(
    "gateway", "serve executions to browsers, terminals and scripts", _configure, _gateway
)
DEMO = Command("demo", "start an engine, a gateway and a demo workflow", _configure, _demo)
