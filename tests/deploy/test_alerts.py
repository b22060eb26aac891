"""Alert rules and the dashboard: understood, tested, explained, and about metrics that exist."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
import yaml
from prometheus_client import CollectorRegistry
from tests.deploy.shipped import (
    ALERTS,
    DASHBOARD,
    DEPLOY,
    alerts,
    check,
    documents,
    names_in,
    queries,
)
from tests.engines import require_program

from runtail.delivery.buffer import Counters
from runtail.metrics_export import register
from runtail_gateway.metrics.metrics import Metrics

TESTS = ALERTS.with_name("alerts_test.yml")
RUNBOOK = DEPLOY / "runbook.md"
SUFFIXES = {
    "counter": ("_total",),
    "gauge": ("",),
    "histogram": ("_bucket", "_sum", "_count"),
}


class _Worker:
    counters = Counters()


def known_names() -> set[str]:
    """List all samples that gateways, and workers that export their counters, have."""
    registry, worker = CollectorRegistry(), _Worker()
    register(worker, registry)
    families = [*Metrics().registry.collect(), *registry.collect()]
    return {family.name + suffix for family in families for suffix in SUFFIXES[family.type]}


def test_alerts_and_dashboard_read_only_metrics_that_exist() -> None:
    known = known_names()
    for name, rule in alerts().items():
        assert names_in(rule["expr"]) <= known, name
    for title, query in queries():
        assert names_in(query) <= known, title


def test_the_dashboard_shows_what_every_alert_is_about() -> None:
    shown = set().union(*(names_in(query) for _, query in queries()))
    seldom = {"runtail_auth_keys_age_seconds"}  # of gateways that have an issuer only
    for name, rule in alerts().items():
        assert names_in(rule["expr"]) <= shown | seldom, name


def test_every_alert_has_a_section_in_the_runbook_and_a_severity() -> None:
    sections = re.findall(r"^### (Runtail\w+)$", RUNBOOK.read_text(), re.MULTILINE)
    assert sections == list(alerts())
    for name, rule in alerts().items():
        assert rule["labels"]["severity"] in ("critical", "warning"), name
        assert set(rule["annotations"]) == {"summary", "description"}, name


def test_every_alert_has_a_test_in_which_it_fires_and_one_in_which_it_does_not() -> None:
    (file,) = documents(TESTS)
    fires, quiet = set(), set()
    for each in file["tests"]:
        name, _, what = each["name"].partition(" ")
        (expected,) = each["promql_expr_test"]
        assert expected["expr"] == 'count by (alertname) (ALERTS{alertstate="firing"})'
        read = set().union(*(names_in(row["series"]) for row in each["input_series"]))
        assert read <= names_in(alerts()[name]["expr"]) or not read, each["name"]
        if what == "fires":
            assert [row["labels"] for row in expected["exp_samples"]] == [f'{{alertname="{name}"}}']
            fires.add(name)
        else:
            assert what.startswith("does not fire: ")
            assert expected["exp_samples"] == []
            quiet.add(name)
    assert fires == quiet == set(alerts())


@pytest.mark.promtool
def test_the_rules_pass_their_tests() -> None:
    check(require_program("promtool"), "test", "rules", TESTS)


@pytest.mark.promtool
def test_prometheus_understands_its_configuration(tmp_path: Path) -> None:
    promtool = require_program("promtool")
    shipped = (DEPLOY / "prometheus" / "prometheus.yml").read_text()
    (tmp_path / "token").write_text("a token")
    (tmp_path / "alerts.yml").write_text(ALERTS.read_text())
    file = tmp_path / "prometheus.yml"
    file.write_text(shipped.replace("/run/secrets/metrics-token", str(tmp_path / "token")))
    said = check(promtool, "check", "config", file)
    assert f"SUCCESS: {len(alerts())} rules found" in said


@pytest.mark.promtool
def test_prometheus_understands_every_query_of_the_dashboard(tmp_path: Path) -> None:
    rules = [{"record": f"q:{n}", "expr": query} for n, (_, query) in enumerate(queries())]
    assert len(rules) > 60
    file = tmp_path / "rules.yml"
    file.write_text(yaml.safe_dump({"groups": [{"name": "dashboard", "rules": rules}]}))
    check(require_program("promtool"), "check", "rules", file)


def test_the_dashboard_says_first_whether_it_is_well_since_when_and_which_part() -> None:
    panels = json.loads(DASHBOARD.read_text())["panels"]
    top = [panel for panel in panels if panel["gridPos"]["y"] < 6]
    assert {panel["type"] for panel in top} == {"row", "stat", "state-timeline"}
    assert all(panel["description"] for panel in top if panel["type"] != "row")
    placed = [(p["gridPos"]["x"], p["gridPos"]["y"]) for p in panels]
    assert len(placed) == len(set(placed)), "two panels in one place"


def test_grafana_gets_the_dashboard_where_it_looks_for_it() -> None:
    (file,) = documents(DEPLOY / "compose" / "compose.yaml")
    mounts = file["services"]["grafana"]["volumes"]
    at = DEPLOY / "grafana" / "provisioning" / "dashboards" / "runtail.yaml"
    (provided,) = documents(at)
    folder = provided["providers"][0]["options"]["path"]
    assert f"../grafana/runtail.json:{folder}/runtail.json:ro" in mounts
