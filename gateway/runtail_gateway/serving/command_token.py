"""The sub-command `runtail token`: sign a token with the secret that the gateway verifies by."""

from __future__ import annotations

import argparse
import os
import re
import sys
import time
from typing import Final, cast

from runtail.command import EXIT_USAGE, Command
from runtail_gateway.access.auth import SCOPES, Grant, Scope
from runtail_gateway.access.auth_settings import SECRET_NAME, AuthSettings
from runtail_gateway.access.tokens import claims_of, sign

EPILOG: Final = f"""\
The secret is read from ${SECRET_NAME}, as the gateway reads it; so are $RUNTAIL_AUTH_AUDIENCE and
$RUNTAIL_AUTH_ISSUER. Patterns are those of a shell. A token cannot be taken back before it expires,
but by another secret.

  runtail token --scope read --execution 'nightly-*' --expires 8h
  runtail token --scope admin --execution '' --expires 90d     for Prometheus: metrics, no execution
"""
_SPAN: Final = re.compile(r"([1-9][0-9]{0,8})([smhd])", re.ASCII)
_SECONDS: Final = {"s": 1, "m": 60, "h": 3600, "d": 86400}


def configure(parser: argparse.ArgumentParser) -> None:
    """Give *parser* the arguments of `runtail token`."""
    parser.epilog = EPILOG
    parser.add_argument(
        "--scope",
        action="append",
        choices=SCOPES,
        required=True,
        help="what it allows; repeatable. admin includes the others",
    )
    parser.add_argument(
        "--execution",
        action="append",
        metavar="PATTERN",
        help="only executions of such an id; repeatable",
    )
    parser.add_argument(
        "--workflow",
        action="append",
        metavar="PATTERN",
        help="only executions of such a workflow; repeatable",
    )
    parser.add_argument(
        "--expires",
        type=seconds,
        default="8h",
        metavar="TIME",
        help="how long it is valid: 90s, 15m, 8h, 30d (8h)",
    )
    parser.add_argument("--subject", default="operator", help="who it is for: sub (operator)")


def run(args: argparse.Namespace) -> int:
    """Print the token, and nothing else."""
    try:
        auth = AuthSettings.from_environment(os.environ)
    except ValueError as error:
        return _fail(str(error))
    if auth is None or not auth.secret:
        return _fail(f"${SECRET_NAME} is not set, expected the gateway's secret")
    print(token_of(args, auth, int(time.time())))  # noqa: T201 - the command's output
    return 0


def token_of(args: argparse.Namespace, auth: AuthSettings, now: int) -> str:
    """Sign what *args* ask for."""
    grant = Grant(
        args.subject,
        frozenset(cast(list[Scope], args.scope)),
        None if args.execution is None else tuple(args.execution),
        None if args.workflow is None else tuple(args.workflow),
        now + args.expires,
    )
    more = {"aud": auth.audience, "iss": auth.issuer}
    named = {name: value for name, value in more.items() if value}
    return sign({**claims_of(grant), "iat": now, **named}, auth.secret)


def seconds(text: str) -> int:
    """Read a span of time."""
    found = _SPAN.fullmatch(text)
    if found is None:
        raise argparse.ArgumentTypeError(f"{text!r} is no time, expected one like 15m, 8h or 30d")
    return int(found[1]) * _SECONDS[found[2]]


def _fail(text: str) -> int:
    print(f"runtail: {text}", file=sys.stderr)  # noqa: T201
    return EXIT_USAGE


TOKEN: Final = Command("token", "Sign a token with the gateway's secret.", configure, run)
