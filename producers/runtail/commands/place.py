"""Where the commands that publish find the engine and the execution, and what they say of both."""

from __future__ import annotations

import argparse
import logging
import os
import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from runtail.watching.terminal import visible
from runtail_broker.engines.engine_address import find_engine
from runtail_broker.errors import InvalidExecutionId
from runtail_broker.keys import checked

if TYPE_CHECKING:
    from runtail.delivery.buffer import Counters

EXECUTION_VARIABLE = "RUNTAIL_EXECUTION"
URL_VARIABLE = "RUNTAIL_REDIS_URL"


def execution_id(text: str) -> str:
    """Read an argument that is an execution's id."""
    try:
        return checked(text)
    except InvalidExecutionId as error:
        raise argparse.ArgumentTypeError(str(error)) from error


def seconds(text: str) -> float:
    """Read an argument that is a number of seconds above 0."""
    try:
        value = float(text)
    except ValueError:
        value = 0.0
    if not 0 < value < float("inf"):
        raise argparse.ArgumentTypeError(f"{text!r} is no time, expected seconds above 0")
    return value


def add_redis_url(parser: argparse.ArgumentParser) -> None:
    """Give *parser* the option `--redis-url`."""
    parser.add_argument(
        "--redis-url",
        metavar="URL",
        help=f"the engine (default: ${URL_VARIABLE}, else the one that runs on this machine)",
    )


def joined_execution() -> str | None:
    """Name the execution that a `runtail run` around this process has given it."""
    return os.environ.get(EXECUTION_VARIABLE) or None


def mask_environment(names: Sequence[str] = ()) -> None:
    """Mask the secrets in the environment: those *names*, and what looks like a credential."""
    from runtail.masks.credentials import is_credential
    from runtail.masks.masking import MIN_SECRET_CHARS, mask

    for name, value in os.environ.items():
        is_one = len(value) >= MIN_SECRET_CHARS and is_credential(name)
        if (name in names or is_one) and not mask(value, name):
            tell(f"${name} is not masked: expected at least {MIN_SECRET_CHARS} characters")


def missing(counters: Counters, execution: str, url: str | None, waited_seconds: float) -> str:
    """Say what of *execution* is not stored, and where it should have been."""
    gone = counters.accepted - counters.stored
    what = f"{gone} of {counters.accepted} records" if gone else "its end"
    dropped = f", {counters.dropped} dropped" if counters.dropped else ""
    within = f"not stored within {waited_seconds:g} s{dropped}"
    return f"execution {execution}: {what} {within} ({_shown_url(url or engine_url(None))})"


def engine_url(given: str | None) -> str | None:
    """Find the engine as `Publisher` does: *given*, else by the environment or on this machine."""
    return given or os.environ.get(URL_VARIABLE) or find_engine()


def _shown_url(url: str | None) -> str:
    """Show where the engine is, without the password that its URL may hold."""
    if not url:
        return "no engine runs on this machine, name one with --redis-url or $RUNTAIL_REDIS_URL"
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}{parts.path}"


def tell(text: str) -> None:
    """Say something on stderr, in one line."""
    print(f"runtail: {visible(text)}", file=sys.stderr, flush=True)  # noqa: T201 - its output


def keep_quiet() -> None:
    """Keep the SDK's own warnings off the terminal, unless asked: the command sums them up."""
    if not os.environ.get("RUNTAIL_DEBUG"):
        logger = logging.getLogger("runtail")
        logger.addHandler(logging.NullHandler())
        logger.propagate = False
