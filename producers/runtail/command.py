"""Run `runtail <command>`: find the commands by entry point, and import only the chosen one.

The SDK never imports the gateway; a machine without the gateway's packages still can `tail`.
"""

from __future__ import annotations

import argparse
import os
import re
import sys
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from importlib.metadata import EntryPoint, PackageNotFoundError, entry_points, requires, version
from typing import Final
from urllib.parse import urlsplit

from runtail.commands.help_text import Taught

DESCRIPTION: Final = "Watch a workflow run while it runs."
EPILOG: Final = """\
to begin with:
  runtail demo                    an engine, a gateway and a workflow; prints the page's address
  runtail run -- make test        any program becomes an execution
  runtail tail EXECUTION          follow it from here; several at once too
  runtail COMMAND --help          what a command does, with examples

Commands that ask a gateway find it by $RUNTAIL_URL (or --url), those that publish find the
engine by $RUNTAIL_REDIS_URL; on the machine of a `runtail demo` neither is needed."""
GROUP: Final = "runtail.commands"
DEFAULT_URL: Final = "http://127.0.0.1:8000"
EXIT_USAGE: Final = 2
EXIT_REFUSED: Final = 4
EXIT_INTERRUPTED: Final = 130
EXIT_BROKEN_PIPE: Final = 141  # as the shell shows a program that SIGPIPE ended

# Known without an import: listing the commands must not need what only one of them needs.
HELP: Final = {
    "run": "run a program as an execution, with its output",
    "log": "publish a line from a shell script",
    "tail": "follow one execution or several; the exit code is theirs",
    "ls": "list the executions",
    "top": "watch all executions, how fast they go and what is quiet",
    "export": "write an execution's log to a file; says if it is complete",
    "prune": "delete executions that ended long ago; shows them first",
    "archive": "list what an archive holds, or give it back to an engine",
    "doctor": "say whether an engine is fit for logs, and what to change",
    "token": "sign a token to read, publish or administer with",
    "alerts": "check the rules of alerts by webhook, and send a test",
    "capacity": "reckon how many gateways and shards a load needs",
    "gateway": "serve the page and the log streams",
    "demo": "start an engine, a gateway and a demo workflow here",
    "completion": "complete words of `runtail` in bash, zsh or fish",
}

_NEEDS_BOTH: Final = {"demo": "gateway,embedded"}  # told at once, not one after the other

_DISTRIBUTIONS: Final = {"jwt": "pyjwt"}  # modules that are not called as what brings them

# A requirement of an extra, as METADATA spells it: `name>=1; marker and extra == 'gateway'`.
_EXTRA: Final = re.compile(r"([\w.-]+).*;.*\bextra\s*==\s*['\"]([^'\"]+)")


@dataclass(frozen=True, slots=True)
class Command:
    """A sub-command, found by the entry-point group `runtail.commands`.

    *run* answers the exit code. It may raise KeyboardInterrupt and BrokenPipeError: `main` ends
    quietly on both.
    """

    name: str
    help: str
    configure: Callable[[argparse.ArgumentParser], None]
    run: Callable[[argparse.Namespace], int]


def main(argv: list[str] | None = None) -> int:
    """Run the command that *argv* (default: the process's) names; return its exit code.

    Errors of usage leave by SystemExit(2), as argparse does.
    """
    words = sys.argv[1:] if argv is None else argv
    try:
        return _dispatch(words)
    except KeyboardInterrupt:
        return EXIT_INTERRUPTED
    except BrokenPipeError:
        _forget_stdout()
        return EXIT_BROKEN_PIPE


def add_url(parser: argparse.ArgumentParser) -> None:
    """Give *parser* the option `--url`, checked; the default is $RUNTAIL_URL."""
    parser.add_argument(
        "--url",
        type=gateway_url,
        default=os.environ.get("RUNTAIL_URL") or DEFAULT_URL,
        help=f"the gateway's address (default: $RUNTAIL_URL, else {DEFAULT_URL})",
    )


def add_token(parser: argparse.ArgumentParser) -> None:
    """Give *parser* the option `--token`, checked; the default is $RUNTAIL_TOKEN."""
    parser.add_argument(
        "--token",
        type=bearer_token,
        default=os.environ.get("RUNTAIL_TOKEN") or None,
        help="what to sign in with (better: $RUNTAIL_TOKEN, which other users cannot list)",
    )


def bearer_token(text: str) -> str:
    """Return *text* if it can stand in a header; the error does not show it."""
    if not (text.isascii() and text.isprintable()) or " " in text or not text:
        raise argparse.ArgumentTypeError("that is no token, expected one as `runtail token` prints")
    return text


def gateway_url(text: str) -> str:
    """Return *text* as an http(s) address without a slash at its end."""
    try:
        parts = urlsplit(text)
        sound = parts.scheme in ("http", "https") and parts.hostname and parts.port != 0
    except ValueError:  # a port that is none
        sound = False
    if not sound or parts.query or parts.fragment or not text.isprintable() or " " in text:
        raise argparse.ArgumentTypeError(f"{text!r} is no address, expected one like {DEFAULT_URL}")
    return text.rstrip("/")


def _dispatch(words: list[str]) -> int:
    found = {point.name: point for point in sorted(entry_points(group=GROUP))}
    chosen = next((word for word in words if not word.startswith("-")), "")
    if chosen and chosen not in found:
        print(f"runtail: {unknown(chosen, [*found])}", file=sys.stderr)  # noqa: T201 - its output
        raise SystemExit(EXIT_USAGE)
    try:
        command = _load(found[chosen]) if chosen in found else None
        parser = _parser(_ordered(found), command)
        args = parser.parse_args(words)
        if command is not None:
            return command.run(args)
    except ModuleNotFoundError as error:  # at import, or later by a command that imports late
        _tell_missing(chosen, error)
        return EXIT_USAGE
    parser.print_help()
    return EXIT_USAGE


def unknown(word: str, names: list[str]) -> str:
    """Say that *word* is none of *names*, and which of them was probably meant."""
    from difflib import get_close_matches  # only here: every command would pay for it

    near = get_close_matches(word, names, 1)
    meant = f", expected perhaps {near[0]!r}" if near else ""
    return f"{word!r} is no command{meant}; `runtail --help` lists them"


def _parser(names: list[str], command: Command | None) -> argparse.ArgumentParser:
    """Build a parser that knows all *names*, and the arguments of *command* alone."""
    parser = argparse.ArgumentParser(
        prog="runtail", description=DESCRIPTION, epilog=EPILOG, formatter_class=_wide
    )
    parser.add_argument("--version", action="version", version=f"runtail {_version()}")
    listed = parser.add_subparsers(metavar="COMMAND", title="commands")
    for name in names:
        one = listed.add_parser(name, help=HELP.get(name))
        if command is not None and command.name == name:
            one.description = command.help
            one.formatter_class = Taught
            command.configure(one)
    return parser


def _wide(prog: str) -> argparse.HelpFormatter:
    """Leave room for the longest command."""
    formatter = Taught(prog, max_help_position=18)
    formatter._action_max_length = 16  # argparse counts sub-commands two columns short
    return formatter


def _ordered(found: dict[str, EntryPoint]) -> list[str]:
    """List the known commands in the order of their help, then those of other packages."""
    return [name for name in HELP if name in found] + [name for name in found if name not in HELP]


def _load(point: EntryPoint) -> Command:
    command = point.load()
    if not isinstance(command, Command) or command.name != point.name:
        raise TypeError(f"entry point {point} gives {command!r}, expected a Command of its name")
    return command


def _tell_missing(chosen: str, error: ModuleNotFoundError) -> None:
    """Say which extra brings what *error* misses; raise it again if none does: that is no matter
    of installing, and its traceback is what helps."""
    extra = extra_of((error.name or "").partition(".")[0], requires("runtail") or [])
    if extra is None:
        raise error
    needs = f"needs the {extra} extra: pip install 'runtail[{_NEEDS_BOTH.get(chosen, extra)}]'"
    print(f"runtail {chosen} {needs}", file=sys.stderr)  # noqa: T201 - the command's own output


def extra_of(module: str, requirements: list[str]) -> str | None:
    """Name the smallest extra that brings *module*, by a package's *requirements*, or None."""
    brings = [found.groups() for line in requirements if (found := _EXTRA.match(line))]
    distribution = _DISTRIBUTIONS.get(module, module).replace("_", "-").lower()
    names = [extra for name, extra in brings if name.replace("_", "-").lower() == distribution]
    size = Counter(extra for _, extra in brings)
    return min(names, key=lambda extra: size[extra], default=None)


def _version() -> str:
    try:
        return version("runtail")
    except PackageNotFoundError:
        return "unknown (not installed)"


def _forget_stdout() -> None:
    """Keep the interpreter's own last flush from complaining about a reader that is gone."""
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, sys.stdout.fileno())
    os.close(nowhere)
