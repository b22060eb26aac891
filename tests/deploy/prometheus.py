"""Debian's prometheus with the files of `deploy/prometheus`, on a free port, for a test."""

from __future__ import annotations

import re
import subprocess
import urllib.parse
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml
from tests.deploy.shipped import ALERTS, DEPLOY
from tests.e2e.processes import fetch, status_of
from tests.engines import free_port, require_program
from tests.polling import until


@dataclass(frozen=True, slots=True)
class Prometheus:
    """One that runs, and scrapes every second."""

    port: int

    def query(self, expression: str) -> list[dict[str, Any]]:
        """Ask for what *expression* is now: a row for each series."""
        told = self._get("query", query=expression)
        rows: list[dict[str, Any]] = told["data"]["result"]
        return rows

    def value(self, expression: str) -> float | None:
        """Ask for one number; None if there is none."""
        rows = self.query(expression)
        assert len(rows) <= 1, rows
        return float(rows[0]["value"][1]) if rows else None

    def alerts(self, state: str = "firing") -> dict[str, dict[str, str]]:
        """List the alerts that are in *state*, with their annotations."""
        rows = self._get("alerts")["data"]["alerts"]
        return {
            row["labels"]["alertname"]: row["annotations"] for row in rows if row["state"] == state
        }

    def _get(self, what: str, **parameters: str) -> Any:
        query = urllib.parse.urlencode(parameters)
        told: Any = fetch(f"http://127.0.0.1:{self.port}/api/v1/{what}?{query}")
        assert told["status"] == "success", told
        return told


@contextmanager
def prometheus(
    place: Path,
    gateways: Sequence[int],
    workers: Sequence[int] = (),
    *,
    token: Path | None = None,
    quicker: int = 1,
) -> Iterator[Prometheus]:
    """Scrape these ports every second; *quicker* shortens what the alerts wait for."""
    port, folder = free_port(), place / "prometheus"
    folder.mkdir()
    (folder / "alerts.yml").write_text(_quicker(ALERTS.read_text(), quicker))
    (folder / "prometheus.yml").write_text(yaml.safe_dump(_configured(gateways, workers, token)))
    command = [
        require_program("prometheus"),
        f"--config.file={folder}/prometheus.yml",
        f"--storage.tsdb.path={folder}/data",
        f"--web.listen-address=127.0.0.1:{port}",
        "--log.level=warn",
    ]
    with (
        (folder / "log").open("wb") as log,
        subprocess.Popen(command, stdout=log, stderr=log) as run,
    ):
        try:
            until(lambda: status_of(f"http://127.0.0.1:{port}/-/ready") == 200, "it is ready", 30)
            yield Prometheus(port)
        finally:
            run.terminate()
            run.wait(20)


def _configured(
    gateways: Sequence[int], workers: Sequence[int], token: Path | None
) -> dict[str, Any]:
    """Put these places, and the token, into the shipped configuration."""
    shipped: dict[str, Any] = yaml.safe_load((DEPLOY / "prometheus" / "prometheus.yml").read_text())
    shipped["global"] = {"scrape_interval": "1s", "evaluation_interval": "1s"}
    jobs = {job["job_name"]: job for job in shipped["scrape_configs"]}
    del jobs["runtail"]["authorization"], jobs["runtail-workers"]["file_sd_configs"]
    if token is not None:
        jobs["runtail"]["authorization"] = {"credentials_file": str(token)}
    for name, ports in (("runtail", gateways), ("runtail-workers", workers)):
        jobs[name]["static_configs"] = [{"targets": [f"127.0.0.1:{port}" for port in ports]}]
    return shipped


def _quicker(rules: str, times: int) -> str:
    """Shorten `for: 5m` and `[5m]`, to 10 s at least where rates are taken of it."""

    def shorter(match: re.Match[str]) -> str:
        seconds = int(match[2]) * {"s": 1, "m": 60}[match[3]]
        least = 10 if match[1] == "[" else 2
        return f"{match[1]}{max(least, seconds // times)}s"

    return rules if times == 1 else re.sub(r"(for: |\[)(\d+)([sm])", shorter, rules)
