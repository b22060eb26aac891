"""The sub-commands `runtail gateway` and `runtail demo`."""

from __future__ import annotations

import argparse
import os
import sys
import threading
import urllib.error
import urllib.request
from contextlib import ExitStack
from dataclasses import replace
from datetime import datetime
from pathlib import Path

from runtail.command import Command
from runtail_broker.archives.store import store_at
from runtail_broker.engines.engine import EngineError, start_engine
from runtail_broker.engines.engine_url import EngineUrl
from runtail_gateway.access.auth_settings import SECRET_NAME, AuthSettings
from runtail_gateway.app import create_app
from runtail_gateway.serving.listeners import address_of, all_private, handed_over, listener
from runtail_gateway.serving.options import add_options, settings_of
from runtail_gateway.serving.serve import server
from runtail_gateway.serving.workers import Job, Workers
from runtail_gateway.web.access_log import write_access_log

GATEWAY_EPILOG = """\
examples:
  runtail gateway                                  with an engine of its own, on this machine
  runtail gateway --redis-url redis://… --workers 2
  runtail gateway --redis-url redis://… --host 0.0.0.0 --trusted-proxy 10.0.0.7
  runtail gateway --archive s3://bucket/runtail --alerts alerts.toml

signing in:
  RUNTAIL_AUTH_SECRET     secret that signs tokens (HS256), at least 32 bytes; see `runtail token`
  RUNTAIL_AUTH_JWKS_URL   or: where the public keys of who signs them are (RS256, ES256, EdDSA)
  RUNTAIL_AUTH_AUDIENCE   what tokens must name as aud
  RUNTAIL_AUTH_ISSUER     what tokens must name as iss
  RUNTAIL_SHARE_SECRET    signs share links where there is no RUNTAIL_AUTH_SECRET
"""


DEMO_EPILOG = """\
examples:
  runtail demo                     prints the page's address, runs a workflow of 20 s; Ctrl-C
  runtail demo --data ./demo       keeps the runs in that folder, for the next time
  runtail tail DEMO-ID             in another terminal, with the id that it prints

"""


def _configure_gateway(parser: argparse.ArgumentParser) -> None:
    _configure(parser, GATEWAY_EPILOG)


def _configure_demo(parser: argparse.ArgumentParser) -> None:
    _configure(parser, DEMO_EPILOG)


def _configure(parser: argparse.ArgumentParser, epilog: str) -> None:
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
    parser.epilog = epilog
    add_options(parser)


def _gateway(arguments: argparse.Namespace) -> int:
    return _run(arguments, demo=False)


def _demo(arguments: argparse.Namespace) -> int:
    return _run(arguments, demo=True)


def _run(arguments: argparse.Namespace, *, demo: bool) -> int:
    with ExitStack() as stack:
        try:
            auth = None if demo else AuthSettings.from_environment(os.environ)
            settings = replace(settings_of(arguments), auth=auth)
            if settings.archive:
                store_at(settings.archive)  # what cannot be one is told before anything starts
            sockets = handed_over(os.environ)
            if not (auth or arguments.insecure or all_private(sockets, arguments.host)):
                return _fail(
                    f"--host {arguments.host} is open to others and nobody signs in: expected a "
                    f"loopback address, or ${SECRET_NAME} to sign in with, or --insecure if that "
                    "is meant"
                )
            sockets = sockets or [listener(arguments.host, arguments.port, or_any_port=demo)]
        except OSError as error:
            return _fail(
                f"port {arguments.port} of {arguments.host} is taken ({error}): choose a free one"
            )
        except ValueError as error:
            return _fail(str(error))
        for each in sockets:
            stack.enter_context(each)
        url = arguments.redis_url
        if url is not None:
            try:
                EngineUrl.read(url)
            except ValueError as error:
                return _fail(f"--redis-url is not the URL of an engine: {error}")
        else:
            try:
                url = stack.enter_context(start_engine(arguments.data)).url
            except EngineError as error:
                return _fail(str(error))
        _serve(Job(url, settings, sockets), arguments.workers, demo=demo)
    return 0


def _serve(job: Job, workers: int, *, demo: bool) -> None:
    base = address_of(job.sockets[0]) + job.settings.prefix

    def started() -> None:
        print(f"runtail: watch runs at {base}/monitoring (Ctrl-C ends it)", flush=True)  # noqa: T201
        if demo:
            threading.Thread(target=_start_demo, args=(base,), daemon=True).start()

    if job.settings.access_log:
        write_access_log()
    if workers > 1:
        return Workers(workers, job, started).run()
    try:
        app = create_app(job.settings, job.redis_url)
        server(app, on_started=started).run(sockets=job.sockets)
    except KeyboardInterrupt:
        return None  # uvicorn has shut down; it raises the signal again for whoever started it
    return None


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
    "gateway", "Serve executions to browsers, terminals and scripts.", _configure_gateway, _gateway
)
DEMO = Command("demo", "Start an engine, a gateway and a demo workflow.", _configure_demo, _demo)
