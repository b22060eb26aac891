"""The options of `runtail gateway` that are settings."""

from __future__ import annotations

import argparse
from math import inf

import pytest

from runtail_gateway.serving.command import GATEWAY
from runtail_gateway.serving.options import add_options, settings_of
from runtail_gateway.settings import GatewaySettings


def settings(*arguments: str) -> GatewaySettings:
    parser = argparse.ArgumentParser()
    add_options(parser)
    return settings_of(parser.parse_args(arguments))


def test_without_options_the_settings_are_the_defaults() -> None:
    assert settings() == GatewaySettings()


@pytest.mark.parametrize(("days", "seconds"), [("7", 604_800.0), ("0.5", 43_200.0), ("inf", inf)])
def test_finished_executions_are_kept_for_so_many_days(days: str, seconds: float) -> None:
    assert settings("--keep-finished-days", days).keep_finished_seconds == seconds


def test_where_executions_go_and_for_how_long() -> None:
    chosen = settings("--archive", "s3://bucket/prefix", "--keep-archived-days", "2")
    assert (chosen.archive, chosen.keep_archived_seconds) == ("s3://bucket/prefix", 172_800.0)


def test_an_archive_that_can_be_none_is_told_before_anything_starts(
    capsys: pytest.CaptureFixture[str],
) -> None:
    parser = argparse.ArgumentParser()
    GATEWAY.configure(parser)
    assert GATEWAY.run(parser.parse_args(["--port", "0", "--archive", "ftp://host/x"])) == 1
    told = "archive 'ftp://host/x', expected a folder or s3://<bucket>/<prefix>"
    assert told in capsys.readouterr().err


@pytest.mark.parametrize("days", ["0", "-1", "nan", "a week"])
def test_a_number_of_days_that_makes_no_sense_is_refused(
    days: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit):
        settings("--keep-finished-days", days)
    assert f"{days!r}, expected a number of days above 0, or inf" in capsys.readouterr().err
