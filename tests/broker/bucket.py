"""A bucket of the S3 kind on loopback: moto's server, empty."""

from __future__ import annotations

import logging
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager

import pytest


@contextmanager
def bucket() -> Iterator[str]:
    """Run the server; yield the URL of a bucket that the environment leads to."""
    from moto.server import ThreadedMotoServer

    logging.getLogger("werkzeug").setLevel(logging.CRITICAL)
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    try:
        host, port = server.get_host_and_port()
        with pytest.MonkeyPatch.context() as patch:
            patch.setenv("AWS_ENDPOINT_URL", f"http://{host}:{port}")
            patch.setenv("AWS_ACCESS_KEY_ID", "test")
            patch.setenv("AWS_SECRET_ACCESS_KEY", "test")
            patch.setenv("AWS_REGION", "us-east-1")
            again = urllib.request.Request(f"http://{host}:{port}/moto-api/reset", method="POST")
            make = urllib.request.Request(f"http://{host}:{port}/runs", method="PUT")
            with urllib.request.urlopen(again), urllib.request.urlopen(make):
                yield "s3://runs"
    finally:
        server.stop()
