"""Run a gateway with a file of alert rules, whose claim runs out soon: `FILE REDIS_URL`."""

from __future__ import annotations

import contextlib
import sys
from pathlib import Path

from runtail_gateway.app import create_app
from runtail_gateway.serving.options import read_alerts
from runtail_gateway.serving.serve import server
from runtail_gateway.settings import GatewaySettings

if __name__ == "__main__":
    settings = GatewaySettings(alerts=read_alerts(Path(sys.argv[1])), claim_seconds=1.0)
    with contextlib.suppress(KeyboardInterrupt):
        server(create_app(settings, sys.argv[2]), port=0).run()
