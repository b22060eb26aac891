"""The help of every command fits the terminal, and shows how it is called."""

from __future__ import annotations

import pytest

from runtail.command import HELP, main
from runtail.commands.help_text import fitted

Captured = pytest.CaptureFixture[str]
LONG = 90  # an example that has no comment beside it may be so long


@pytest.mark.parametrize("width", [80, 120])
@pytest.mark.parametrize("name", ["", *HELP])
def test_every_help_fits_and_has_an_example(
    name: str, width: int, capsys: Captured, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", str(width))
    with pytest.raises(SystemExit):
        main([name, "--help"] if name else ["--help"])
    shown = capsys.readouterr().out
    assert [line for line in shown.splitlines() if len(line) > max(width, LONG)] == []
    assert [line for line in shown.splitlines() if len(line) > width and line[0] != " "] == []
    assert f"\n  runtail {name}" in shown


def test_prose_is_wrapped_and_examples_are_kept() -> None:
    text = "some words of prose,\nwhich go on\n\nexamples:\n  runtail x   what it does\n  y"
    assert list(fitted(text, 40)) == [
        "some words of prose, which go on",
        "",
        "examples:",
        "  runtail x   what it does",
        "  y",
        "",
    ]
    assert list(fitted("  1  it failed, or it was lost", 20)) == [
        "  1  it failed, or",
        "     it was lost",
        "",
    ]
    assert list(fitted("  runtail x   what it does", 20)) == [
        "  runtail x",
        "        what it does",
        "",
    ]
