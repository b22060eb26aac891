"""`runtail alerts`: check the rules by which people are alerted, and send a test alert."""

from __future__ import annotations

import argparse
import asyncio
import os
import secrets
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from runtail.command import EXIT_USAGE, Command
from runtail.watching.terminal import visible
from runtail_gateway.alerts.message import Found, body, message
from runtail_gateway.alerts.rules import AlertRules, Rule, Webhook
from runtail_gateway.alerts.text import Masks
from runtail_gateway.alerts.watch import Firing, Memory
from runtail_gateway.alerts.webhook import Sent, send
from runtail_gateway.serving.options import read_alerts

EXIT_NOT_TAKEN: Final = 1
EPILOG: Final = """\
The rules are a file in TOML, which `runtail gateway --alerts FILE` reads when it starts:

  page = "https://runtail.example.org"     # where links lead

  [webhook.ops]
  url = "https://hooks.example.org/runtail"
  secret_env = "RUNTAIL_ALERT_SECRET"      # signs each message

  [[rule]]
  when = "failed"                          # or lost, stalled, slow, error_rate, text
  workflow = "nightly-*"

examples:
  runtail alerts check alerts.toml         # says what each rule does, or where the file is wrong
  runtail alerts test --alerts alerts.toml # a test to every webhook; prints its answer
  runtail alerts test failed               # to those of this rule; the file: $RUNTAIL_ALERTS

exit codes: 0 all is well, 1 a receiver did not take the test, 2 the file or the call is wrong"""


def configure(parser: argparse.ArgumentParser) -> None:
    """Give *parser* the arguments of `runtail alerts`."""
    parser.epilog = EPILOG
    actions = parser.add_subparsers(dest="action", metavar="ACTION", required=True)
    check = actions.add_parser("check", help="read a file of rules; name the place of an error")
    check.add_argument("file", type=Path, metavar="FILE", help="the rules, in TOML")
    test = actions.add_parser("test", help="send a test alert; print what the receiver answered")
    test.add_argument("rule", nargs="?", metavar="RULE", help="to this rule's webhooks only")
    given = os.environ.get("RUNTAIL_ALERTS") or None
    test.add_argument(
        "--alerts", type=Path, default=given, metavar="FILE", help="the rules ($RUNTAIL_ALERTS)"
    )


def run(args: argparse.Namespace) -> int:
    """Check, or send tests; return the exit code."""
    path = args.file if args.action == "check" else args.alerts
    if path is None:
        return _fail("no file of rules, name one with --alerts or $RUNTAIL_ALERTS")
    try:
        rules = read_alerts(path)
    except ValueError as error:
        return _fail(str(error))
    if args.action == "check":
        return _tell(described(rules))
    rule = rules.rules[0] if args.rule is None else rules.rule(args.rule)
    if rule is None:
        names = ", ".join(each.name for each in rules.rules)
        return _fail(f"no rule is named {args.rule!r}, expected one of {names}")
    to = rules.webhooks if args.rule is None else rule.to
    return asyncio.run(_test(rules, rule, [rules.webhooks[name] for name in to]))


def described(rules: AlertRules) -> Iterator[str]:
    """Say in a line each what the file does."""
    for rule in rules.rules:
        of = f" of {', '.join(rule.workflows)}" if rule.workflows else ""
        yield f"rule {rule.name}: {_when(rule)}{of} → {', '.join(rule.to)}{_windows(rule)}"
    for webhook in rules.webhooks.values():
        signed = "signed" if webhook.secret else "not signed"
        yield f"webhook {webhook.name}: {webhook.format} to {webhook.host}, {signed}"
    if not rules.page:
        yield "no `page` is set: messages carry no link"


def _when(rule: Rule) -> str:
    match rule.when:
        case "stalled":
            return f"no new record for {rule.after_seconds:g} s"
        case "error_rate":
            of = f"of at least {rule.at_least} failed in {rule.window_seconds:g} s"
            return f"more than {rule.above:.0%} {of}"
        case "slow":
            return f"takes {rule.times:g} × the median of at least {rule.at_least}"
        case "text":
            return f"logs one of {len(rule.texts)} texts"
        case "lost":
            return "its worker fell silent"
        case "failed":
            return "failed"


def _windows(rule: Rule) -> str:
    said = [
        f", {word} {seconds:g} s"
        for word, seconds in (
            ("silent afterwards for", rule.silence_seconds),
            ("again every", rule.repeat_seconds),
        )
        if seconds
    ]
    return "".join(said) + (", told when it is over" if rule.resolved else "")


async def _test(rules: AlertRules, rule: Rule, webhooks: list[Webhook]) -> int:
    now_ms = int(time.time() * 1000)
    memory = Memory(secrets.token_hex(8), False, now_ms)
    firing = Firing(rule, "test-execution", "test", "fired", memory, now_ms)
    line = {"seq": 1, "level": "info", "message": "This is a test of `runtail alerts test`."}
    masks = Masks(rules.mask_names, rules.mask_texts)
    told = message(firing, Found(lines=[line]), rules.page, masks) | {"test": True}
    answers = [(each, await send(each, firing.id, body(told, each.format))) for each in webhooks]
    _tell(_answered(webhook, sent) for webhook, sent in answers)
    return EXIT_NOT_TAKEN if any(sent.trouble for _, sent in answers) else 0


def _answered(webhook: Webhook, sent: Sent) -> str:
    words = f": {sent.answer.strip()}" if sent.answer.strip() else ""
    if not sent.trouble:
        return f"ok    {webhook.name} ({webhook.host}) took it, HTTP {sent.status}{words}"
    return f"FAIL  {webhook.name} ({webhook.host}) did not take it, {sent.trouble}{words}"


def _tell(lines: Iterator[str]) -> int:
    for line in lines:
        sys.stdout.write(f"{visible(line)}\n")
    return 0


def _fail(text: str) -> int:
    print(f"runtail alerts: {visible(text)}", file=sys.stderr)  # noqa: T201 - the command's output
    return EXIT_USAGE


ALERTS: Final = Command(
    "alerts", "Check the rules by which people are alerted, and try them.", configure, run
)
