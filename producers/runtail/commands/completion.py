"""`runtail completion`: complete commands and options in bash, zsh and fish."""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from dataclasses import dataclass
from importlib.metadata import entry_points
from typing import Final

from runtail.command import GROUP, HELP, Command

SHELLS: Final = ("bash", "zsh", "fish")
EPILOG: Final = """\
examples, once and for all:
  runtail completion bash > ~/.local/share/bash-completion/completions/runtail
  runtail completion zsh  > "${fpath[1]}/_runtail"
  runtail completion fish > ~/.config/fish/completions/runtail.fish

or for this shell only:
  source <(runtail completion bash)

Commands whose extras are not installed are completed by name alone."""

_BASH: Final = """\
# bash completion for runtail
_runtail() {{
    local current="${{COMP_WORDS[COMP_CWORD]}}" words=""
    if [ "$COMP_CWORD" -eq 1 ]; then
        words="{commands}"
    else
        case "${{COMP_WORDS[1]}}" in
{cases}
        esac
    fi
    COMPREPLY=($(compgen -W "$words" -- "$current"))
}}
complete -o default -F _runtail runtail
"""
_ZSH: Final = """\
#compdef runtail
_runtail() {{
    if (( CURRENT == 2 )); then
        local -a commands=(
{commands}
        )
        _describe command commands
        return
    fi
    local -a options=()
    case "$words[2]" in
{cases}
    esac
    _describe option options
    _files
}}
if [ "$funcstack[1]" = "_runtail" ]; then _runtail "$@"; else compdef _runtail runtail; fi
"""


@dataclass(frozen=True, slots=True)
class Words:
    """What may follow a command: a word and what it means, each."""

    name: str
    help: str
    options: tuple[tuple[str, str], ...]


def configure(parser: argparse.ArgumentParser) -> None:
    """Give *parser* the arguments of `runtail completion`."""
    parser.epilog = EPILOG
    parser.add_argument("shell", choices=SHELLS)


def run(args: argparse.Namespace) -> int:
    """Print the script for a shell."""
    write = {"bash": bash, "zsh": zsh, "fish": fish}[args.shell]
    print(write(list(known())), end="")  # noqa: T201 - the command's output
    return 0


def known() -> Iterator[Words]:
    """List the commands that are installed, with the options of those that can be imported."""
    found = {point.name: point for point in sorted(entry_points(group=GROUP))}
    for name in [*(n for n in HELP if n in found), *(n for n in found if n not in HELP)]:
        parser = argparse.ArgumentParser(prog=name)
        try:
            command: Command = found[name].load()
            command.configure(parser)
        except ModuleNotFoundError:
            pass  # its extra is not installed
        yield Words(name, HELP.get(name, ""), tuple(_options(parser)))


def _options(parser: argparse.ArgumentParser) -> Iterator[tuple[str, str]]:
    for action in parser._actions:
        text = "" if action.help is None else " ".join(action.help.split())
        if isinstance(action, argparse._SubParsersAction):
            for choice in action.choices:
                yield choice, ""
        elif not action.option_strings and action.choices:
            yield from ((str(choice), "") for choice in action.choices)
        yield from ((option, text) for option in action.option_strings if option.startswith("--"))


def bash(commands: list[Words]) -> str:
    """Write the script for bash."""
    cases = "\n".join(
        f'            {each.name}) words="{" ".join(name for name, _ in each.options)}" ;;'
        for each in commands
    )
    return _BASH.format(commands=" ".join(each.name for each in commands), cases=cases)


def zsh(commands: list[Words]) -> str:
    """Write the script for zsh."""
    listed = "\n".join(f"            {_described(each.name, each.help)}" for each in commands)
    cases = "\n".join(
        f"        {each.name}) options=({' '.join(_described(*o) for o in each.options)}) ;;"
        for each in commands
    )
    return _ZSH.format(commands=listed, cases=cases)


def fish(commands: list[Words]) -> str:
    """Write the script for fish."""
    lines = ["# fish completion for runtail"]
    first = "complete -c runtail -n __fish_use_subcommand -f"
    lines += [f"{first} -a {each.name} -d {_quoted(each.help)}" for each in commands]
    for each in commands:
        begin = f"complete -c runtail -n '__fish_seen_subcommand_from {each.name}'"
        for name, text in each.options:
            what = f"-l {name[2:]}" if name.startswith("--") else f"-a {name}"
            lines.append(f"{begin} {what} -d {_quoted(text)}")
    return "\n".join(lines) + "\n"


def _described(name: str, text: str) -> str:
    """Spell a word and its meaning for zsh's `_describe`, in single quotes."""
    plain = f"{name}:{text}" if text else name
    return _quoted(plain.replace("%(default)s", "").replace("%(default)g", ""))


def _quoted(text: str) -> str:
    r"""Quote for a shell of these: single quotes end, an escaped one, and begin again."""
    return "'" + text.replace("\\", "").replace("'", "'\\''") + "'"


COMPLETION: Final = Command(
    "completion", "Complete words of `runtail` in bash, zsh or fish.", configure, run
)
