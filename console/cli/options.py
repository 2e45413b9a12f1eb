"""The pieces of the command line: groups, commands, and the options that several of them have."""

import math
import sys
from argparse import SUPPRESS, ArgumentParser, ArgumentTypeError, Namespace
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from console.cli.exits import Exit
from console.cli.plan_file import DEFAULT_CONFIG

if TYPE_CHECKING:
    from argparse import _ActionsContainer, _SubParsersAction

    Commands = _SubParsersAction[ArgumentParser]

Run = Callable[[Namespace], Exit]
"""What a command does."""


def group(commands: "Commands", name: str, what: str) -> "Commands":
    """Commands under a name of their own; named alone it prints its help."""
    parser = commands.add_parser(name, help=what, description=_sentence(what), allow_abbrev=False)

    def misses_a_command(arguments: Namespace) -> Exit:
        parser.print_help(sys.stderr)
        return Exit.USAGE

    parser.set_defaults(run=misses_a_command)
    return parser.add_subparsers(title="commands", metavar="COMMAND")


def command(commands: "Commands", name: str, run: Run, what: str) -> ArgumentParser:
    """A command that `run` does, with the option that every command has."""
    parser = commands.add_parser(name, help=what, description=_sentence(what), allow_abbrev=False)
    parser.set_defaults(run=run)
    # Without a default of its own, so that a file named in front of the command counts as well.
    parser.add_argument("--config", type=Path, default=SUPPRESS, metavar="FILE", help=f"the plan ({DEFAULT_CONFIG})")
    return parser


def json_option(command: "_ActionsContainer") -> None:
    """`--json`."""
    command.add_argument("--json", action="store_true", help="machine-readable lines only")


def directory_option(command: ArgumentParser, what: str = "where runs are kept") -> None:
    """`--directory`."""
    command.add_argument("--directory", type=Path, metavar="DIR", help=what)


def journal_options(command: ArgumentParser) -> None:
    """`--journal` and how the line to it is protected."""
    command.add_argument(
        "--journal",
        metavar="SOURCE",
        help="the shared record: env:NAME or file:PATH, where its address is found (as the plan's [journal] says)",
    )
    command.add_argument(
        "--journal-tls",
        choices=("verify-full", "verify-ca", "require", "disable"),
        help="with --journal: how the line to it is protected (verify-full)",
    )


def world_options(command: ArgumentParser) -> None:
    """What a sandbox is made of."""
    command.add_argument(
        "--fault",
        action="append",
        default=[],
        metavar="NAME",
        help="practise on a fault (several: repeat); `--fault list` names them",
    )
    command.add_argument(
        "--pace",
        type=number(float, 1, 10_000),
        default=60.0,
        metavar="N",
        help="divides the waits that sandbox and plan invent (%(default)g)",
    )
    command.add_argument(
        "--accounts",
        type=number(int, 1, 5_000_000),
        default=449,
        metavar="N",
        help="how many accounts the sandbox's database holds (%(default)s)",
    )
    command.add_argument(
        "--shared", action="store_true", help="with a shared record: watched, signed, taken over from elsewhere"
    )


def number(kind: type[int] | type[float], least: int, most: int) -> Callable[[str], float]:
    """A type of argument: a number within bounds."""

    def read(text: str) -> float:
        try:
            value = kind(text)
        except ValueError:
            value = math.nan
        if not least <= value <= most:
            raise ArgumentTypeError(f"{text} is not a number from {least} to {most}")
        return value

    return read


def _sentence(what: str) -> str:
    return f"{what[:1].upper()}{what[1:]}."
