"""What `deploy/` ships, as data."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import yaml

DEPLOY = Path(__file__).parents[2] / "deploy"
ALERTS = DEPLOY / "prometheus" / "alerts.yml"
DASHBOARD = DEPLOY / "grafana" / "runtail.json"


def documents(path: Path) -> list[Any]:
    """Read all YAML documents of a file."""
    return list(yaml.load_all(path.read_text(), yaml.CSafeLoader))


@cache
def alerts() -> dict[str, dict[str, Any]]:
    """Read the alert rules, by name."""
    (file,) = documents(ALERTS)
    return {rule["alert"]: rule for group in file["groups"] for rule in group["rules"]}


def queries() -> Iterator[tuple[str, str]]:
    """List the dashboard's queries, each with its panel's title, as Grafana would send them."""
    for panel in json.loads(DASHBOARD.read_text())["panels"]:
        for target in panel.get("targets", ()):
            yield panel["title"], sent(target["expr"])


def sent(expression: str) -> str:
    """Put in what Grafana puts in for the variables of the dashboard."""
    told = expression.replace("$__rate_interval", "1m").replace("$job", "runtail")
    assert "$" not in told, told
    return told


def names_in(expression: str) -> set[str]:
    """List the metrics of runtail that an expression reads."""
    return set(re.findall(r"\bruntail_\w+", expression))


def check(*command: str | Path) -> str:
    """Run a checking program, which must be content; return what it said."""
    done = subprocess.run(
        list(map(str, command)), capture_output=True, text=True, timeout=200, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout + done.stderr


def installed(name: str) -> Path:
    """Find a program of the tests' own environment."""
    return Path(sys.executable).with_name(name)
