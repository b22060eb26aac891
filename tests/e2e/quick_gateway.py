"""Run a gateway with other settings than the command's: `quick_gateway.py SETTINGS --redis-url …`.

For what takes a beat or a lease, which are 15 to 20 seconds by default.
"""

from __future__ import annotations

import argparse
import contextlib
import json

from runtail_gateway.app import create_app
from runtail_gateway.serving.serve import server
from runtail_gateway.settings import GatewaySettings


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("settings", type=json.loads)
    parser.add_argument("--redis-url")
    parser.add_argument("--port", type=int)
    given = parser.parse_args()
    app = create_app(GatewaySettings(**given.settings), given.redis_url)
    with contextlib.suppress(KeyboardInterrupt):
        server(app, port=given.port).run()


if __name__ == "__main__":
    main()
