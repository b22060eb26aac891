"""Completion: the scripts are what their shells take, and name every command and option."""

from __future__ import annotations

import shutil
import subprocess

import pytest

from runtail.command import HELP, main

Captured = pytest.CaptureFixture[str]


def script(shell: str, capsys: Captured) -> str:
    assert main(["completion", shell]) == 0
    return capsys.readouterr().out


def completed(text: str, *words: str) -> list[str]:
    """Ask bash what it would offer for the last of *words*."""
    ask = f'{text}\nCOMP_WORDS=({" ".join(words)} "")\nCOMP_CWORD={len(words)}\n'
    ask += 'COMP_WORDS[COMP_CWORD]="$1"\n_runtail\nprintf "%s\\n" "${COMPREPLY[@]}"'
    done = subprocess.run(
        ["bash", "-c", ask, "bash", ""], capture_output=True, text=True, timeout=10, check=True
    )
    return done.stdout.split()


def test_bash_offers_commands_then_their_options(capsys: Captured) -> None:
    text = script("bash", capsys)
    assert set(completed(text, "runtail")) == HELP.keys()
    assert {"--tail", "--wait", "--url", "--json"} <= set(completed(text, "runtail", "tail"))
    assert {"check", "test"} <= set(completed(text, "runtail", "alerts"))
    assert {"bash", "zsh", "fish"} <= set(completed(text, "runtail", "completion"))


@pytest.mark.parametrize("shell", ["zsh", "fish"])
def test_the_others_name_them_too(shell: str, capsys: Captured) -> None:
    text = script(shell, capsys)
    for name in HELP:
        assert name in text
    assert "older-than" in text
    assert "execution's log" not in text  # an apostrophe ends a quoted word
    if shutil.which(shell):
        check = subprocess.run([shell, "-n"], input=text, text=True, capture_output=True)
        assert (check.returncode, check.stderr) == (0, "")
