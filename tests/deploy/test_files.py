"""Each file of `deploy/` by its own program: images, compose, Kubernetes, units, proxies."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from tests.deploy.shipped import ALERTS, DEPLOY, check, documents, installed
from tests.engines import require_program

KUBERNETES = DEPLOY / "kubernetes"


def test_hadolint_finds_nothing_wrong_with_the_image() -> None:
    check(installed("hadolint"), DEPLOY / "Dockerfile")


def test_the_image_runs_a_gateway_without_rights_and_says_how_it_is() -> None:
    text = (DEPLOY / "Dockerfile").read_text()
    assert re.search(r"^USER 10001$", text, re.MULTILINE)
    assert re.search(r"^HEALTHCHECK .*\\\n.*/healthz", text, re.MULTILINE)
    assert 'ENTRYPOINT ["runtail"]' in text
    copied = re.findall(r"^COPY ([\w. ]+?) \S+$", text, re.MULTILINE)
    left = (DEPLOY / "Dockerfile.dockerignore").read_text().splitlines()
    for name in " ".join(copied).split():
        assert f"!{name}" in left, f"{name} is copied, but not in the build's context"


def test_compose_knows_every_word_of_its_file() -> None:
    file = DEPLOY / "compose" / "compose.yaml"
    check(installed("check-jsonschema"), "--builtin-schema", "vendor.compose-spec", file)


def test_compose_mounts_only_what_is_there() -> None:
    folder = DEPLOY / "compose"
    (file,) = documents(folder / "compose.yaml")
    mounts = [mount for each in file["services"].values() for mount in each.get("volumes", ())]
    paths = [mount.split(":")[0] for mount in mounts if mount.startswith(".")]
    assert len(paths) >= 5
    for path in paths:
        assert (folder / path).exists(), path
    for gateway in ("gateway-1", "gateway-2"):
        assert file["services"][gateway]["read_only"]
        assert "/tmp" in file["services"][gateway]["tmpfs"]


def test_kubernetes_takes_every_manifest() -> None:
    plain = [path for path in sorted(KUBERNETES.glob("*.yaml")) if not _is_of_others(path)]
    assert len(plain) == 6
    check(installed("kubernetes-validate"), "--strict", "--no-warn", *plain)


def _is_of_others(path: Path) -> bool:
    """Kinds of kustomize and of the Prometheus operator, of which there is no schema here."""
    ours = ("kustomize.config.k8s.io", "monitoring.coreos.com")
    return str(documents(path)[0]["apiVersion"]).startswith(ours)


def test_kustomize_names_every_manifest() -> None:
    (file,) = documents(KUBERNETES / "kustomization.yaml")
    there = {path.name for path in KUBERNETES.glob("*.yaml")} - {"kustomization.yaml"}
    assert set(file["resources"]) == there


def test_the_operators_rules_are_those_of_prometheus() -> None:
    monitor, rules = documents(KUBERNETES / "monitoring.yaml")
    (shipped,) = documents(ALERTS)
    assert rules["spec"] == shipped
    service = documents(KUBERNETES / "service.yaml")[0]
    assert (
        monitor["spec"]["selector"]["matchLabels"].items() <= service["metadata"]["labels"].items()
    )
    (file,) = documents(KUBERNETES / "kustomization.yaml")
    assert file["labels"][0]["pairs"][monitor["spec"]["jobLabel"]] == "runtail"


def test_kubernetes_asks_for_the_probes_and_gives_the_time_that_a_gateway_takes() -> None:
    (deployment,) = documents(KUBERNETES / "deployment.yaml")
    pod = deployment["spec"]["template"]["spec"]
    (gateway,) = pod["containers"]
    assert gateway["readinessProbe"]["httpGet"]["path"] == "/readyz"
    assert gateway["livenessProbe"]["httpGet"]["path"] == "/healthz"
    assert pod["terminationGracePeriodSeconds"] >= 5 + 16
    assert gateway["securityContext"]["readOnlyRootFilesystem"]


@pytest.mark.systemd
def test_systemd_understands_the_units(tmp_path: Path) -> None:
    analyze = require_program("systemd-analyze")
    program = tmp_path / "runtail"
    program.touch(0o755)
    for name in ("runtail.socket", "runtail.service"):
        text = (DEPLOY / "systemd" / name).read_text()
        (tmp_path / name).write_text(text.replace("/opt/runtail/bin/runtail", str(program)))
    units = [tmp_path / "runtail.socket", tmp_path / "runtail.service"]
    assert check(analyze, "verify", "--man=no", *units) == ""


@pytest.mark.nginx
@pytest.mark.parametrize("name", ["nginx.conf", "compose/nginx.conf"])
def test_nginx_understands_its_file(name: str, tmp_path: Path) -> None:
    nginx = require_program("nginx")
    file = tmp_path / "nginx.conf"
    text = (DEPLOY / name).read_text()
    file.write_text(re.sub(r"gateway-\d", "127.0.0.1", text))  # names that only compose knows
    check(nginx, "-t", "-c", file, "-e", "stderr", "-g", f"pid {tmp_path}/pid;")


@pytest.mark.haproxy
def test_haproxy_understands_its_file() -> None:
    check(require_program("haproxy"), "-c", "-f", DEPLOY / "haproxy.cfg")
