"""The options of `runtail gateway` that are settings, and how many processes there are."""

from __future__ import annotations

import argparse
import os
from pathlib import Path

from runtail_gateway.alerts.file import InvalidRules, read_rules
from runtail_gateway.alerts.rules import AlertRules
from runtail_gateway.settings import GatewaySettings

_DAY_SECONDS = 86_400.0


def add_options(parser: argparse.ArgumentParser) -> None:
    """Add them to *parser*; the defaults are those of the settings."""
    default = GatewaySettings()
    add = parser.add_argument
    add("--workers", type=_count, default=1, metavar="N", help="processes that share the address")
    add("--prefix", default=default.prefix, help="path under which a proxy serves it: /runtail")
    add(
        "--trusted-proxy",
        action="append",
        default=[],
        metavar="ADDRESS",
        help="address or network of a proxy whose X-Forwarded-* headers are believed; repeatable",
    )
    add(
        "--allowed-origin",
        action="append",
        default=[],
        metavar="ORIGIN",
        help="origin beside its own whose pages may connect or ask for changes; repeatable",
    )
    add(
        "--frame-origin",
        action="append",
        default=[],
        metavar="ORIGIN",
        help="origin whose pages may embed the page (?embed=1), and nothing else; repeatable",
    )
    add(
        "--replay-from-replicas",
        action="store_true",
        help="read old pages from replicas of the engine; proofs stay on the primary",
    )
    add("--access-log", action="store_true", help="write a JSON line for each request to stderr")
    add(
        "--drain-seconds",
        type=float,
        default=default.drain_seconds,
        metavar="SECONDS",
        help="time over which viewers are sent elsewhere after SIGTERM",
    )
    add(
        "--keep-finished-days",
        type=_days,
        default=default.keep_finished_seconds / _DAY_SECONDS,
        metavar="DAYS",
        help="time after its last record for which an execution that has ended is kept; 'inf' for "
        "ever (default: %(default)g)",
    )

    add(
        "--archive",
        default=default.archive,
        metavar="PLACE",
        help="where executions that have ended go before the engine lets go of them: a folder, or "
        "s3://bucket/prefix (credentials from AWS_…); without it they are removed",
    )
    add(
        "--alerts",
        type=Path,
        default=os.environ.get("RUNTAIL_ALERTS") or None,
        metavar="FILE",
        help="rules by which people are alerted by webhook ($RUNTAIL_ALERTS); see `runtail alerts`",
    )
    add(
        "--keep-archived-days",
        type=_days,
        default=default.keep_archived_seconds / _DAY_SECONDS,
        metavar="DAYS",
        help="time after its last record for which an archived execution stays in the archive and "
        "in the list; 'inf' for ever (default: %(default)g)",
    )


def read_alerts(path: Path) -> AlertRules:
    """Read the rules at *path*; raise ValueError, which names the file and the line."""
    try:
        return read_rules(path.read_bytes(), os.environ)
    except InvalidRules as error:
        raise ValueError(f"{path}{f':{error.line}' * bool(error.line)}: {error.reason}") from error
    except OSError as error:
        raise ValueError(f"{path}: {error.strerror or error}") from error


def settings_of(arguments: argparse.Namespace) -> GatewaySettings:
    """Make the settings; raises ValueError for what makes no sense."""
    return GatewaySettings(
        alerts=None if arguments.alerts is None else read_alerts(arguments.alerts),
        prefix=arguments.prefix,
        trusted_proxies=tuple(arguments.trusted_proxy),
        allowed_origins=tuple(arguments.allowed_origin),
        frame_origins=tuple(arguments.frame_origin),
        access_log=arguments.access_log,
        replay_from_replicas=arguments.replay_from_replicas,
        drain_seconds=arguments.drain_seconds,
        keep_finished_seconds=arguments.keep_finished_days * _DAY_SECONDS,
        archive=arguments.archive,
        keep_archived_seconds=arguments.keep_archived_days * _DAY_SECONDS,
    )


def _days(text: str) -> float:
    try:
        days = float(text)
    except ValueError:
        days = 0.0
    if not days > 0:  # nor nan
        raise argparse.ArgumentTypeError(f"{text!r}, expected a number of days above 0, or inf")
    return days


def _count(text: str) -> int:
    if not (text.isdigit() and 1 <= int(text) <= 256):
        raise argparse.ArgumentTypeError(f"{text!r}, expected a whole number from 1 to 256")
    return int(text)
