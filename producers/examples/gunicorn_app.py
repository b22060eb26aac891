"""Gunicorn with --preload: the publisher is made before the workers are forked. In this folder:

gunicorn --preload --workers 2 gunicorn_app:app
curl localhost:8000/orders/17
"""

import os
from collections.abc import Callable, Iterable

from runtail import Publisher

publisher = Publisher()  # each forked worker has another one in it, with a thread of its own

Environment = dict[str, str]
StartResponse = Callable[[str, list[tuple[str, str]]], object]


def app(environment: Environment, start_response: StartResponse) -> Iterable[bytes]:
    """Handle one order; any WSGI framework does it from inside a view."""
    with publisher.execution(workflow_id="order") as run:
        run.info("handling", path=environment["PATH_INFO"], worker=os.getpid())
        start_response("200 OK", [("Content-Type", "text/plain")])
        return [f"{run.id} {os.getpid()}\n".encode()]
