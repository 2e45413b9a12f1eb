"""The commands, their options and their help; what they do stands in the modules beside this one.

Parsing costs next to nothing: the first frame and `--help` wait for it. What a command needs is imported in it.
"""

import asyncio
import os
import sys
from argparse import ArgumentParser, Namespace
from collections.abc import Coroutine
from pathlib import Path
from typing import TYPE_CHECKING

from console import __version__
from console.cli.exits import Exit, defect, fail, from_os
from console.cli.options import (
    Run,
    command,
    directory_option,
    group,
    journal_options,
    json_option,
    number,
    world_options,
)
from console.cli.plan_file import DEFAULT_CONFIG
from console.errors import ConfigError, ConsoleError

if TYPE_CHECKING:
    from console.cli.options import Commands


def main() -> None:
    """The console script."""
    arguments = parser().parse_args()
    run: Run = arguments.run
    try:
        raise SystemExit(int(run(arguments)))
    except ConsoleError as error:
        fail(error)
    except BrokenPipeError:
        _stop_printing()
        raise SystemExit(int(Exit.FAILED)) from None
    except OSError as error:
        fail(from_os(error, "The console could not go on"))
    except Exception as error:
        fail(defect(error))


def parser() -> ArgumentParser:
    """The command line: every command sets `run`, which does it."""
    root = ArgumentParser(
        prog="release-console",
        description="Drive a production deployment from one terminal. Without a command: drive the plan in "
        "./config.toml by hand; a run that is open is resumed.",
        allow_abbrev=False,
    )
    root.add_argument("--version", action="version", version=f"release-console {__version__}")
    root.add_argument("--config", type=Path, default=DEFAULT_CONFIG, metavar="FILE", help="the plan (%(default)s)")
    root.set_defaults(run=_drive)
    commands = root.add_subparsers(title="commands", metavar="COMMAND")
    _rehearsing(commands)
    _looking(commands)
    _signing(commands)
    plan = group(commands, "plan", "read a plan without starting anything")
    json_option(command(plan, "check", _plan_check, "check a plan, and say what it would do; needs no secrets"))
    journal = group(commands, "journal", "the record that is shared between machines")
    send = command(journal, "send", _journal_send, "send what a run still has here for the shared record")
    send.add_argument("of", nargs="?", default="last", metavar="RUN", help="the run's id, or `last`")
    directory_option(send)
    command(journal, "init", _journal_init, "set the plan's shared record up, and say whom to let in")
    _sandboxing(group(commands, "sandbox", "the rehearsal's world alone"))
    return root


def _rehearsing(commands: "Commands") -> None:
    rehearse = command(commands, "rehearse", _rehearse, "drive the same plan against a sandbox: real servers here")
    rehearse.add_argument("--auto", action="store_true", help="unattended (also without a terminal)")
    rehearse.add_argument("--resume", action="store_true", help="go on with the last open rehearsal")
    rehearse.add_argument(
        "--on-failure",
        choices=("stop", "rollback"),
        default="stop",
        help="unattended: stop where a person is needed, or go back (%(default)s)",
    )
    rehearse.add_argument(
        "--rollback",
        choices=("recommended", "code", "fix-only", "schema", "database", "backup"),
        metavar="WAY",
        help="which way back: recommended, code, fix-only, schema, database or backup; goes back at a failure",
    )
    json_option(rehearse)
    world_options(rehearse)
    directory_option(rehearse)


def _looking(commands: "Commands") -> None:
    json_option(
        command(commands, "preflight", _preflight, "go or no-go: look at everything the plan needs; change nothing")
    )
    watch = command(commands, "watch", _watch, "watch a run live, read-only: from its record alone, without any key")
    watch.add_argument("of", nargs="?", default="last", metavar="RUN", help="the run's id, or `last`: the newest open")
    shown = watch.add_mutually_exclusive_group()
    json_option(shown)
    shown.add_argument("--web", action="store_true", help="in the browser: served on this machine until interrupted")
    port = number(int, 1, 65_535)
    watch.add_argument("--port", type=port, metavar="N", help="with --web: the port (any that is free)")
    directory_option(watch)
    journal_options(watch)
    runs = command(commands, "runs", _runs, "list the runs that are kept: state, driver and age")
    json_option(runs)
    directory_option(runs)
    journal_options(runs)
    report = command(commands, "report", _report, "print the record of a run: the plan's document, filled in")
    papers = report.add_mutually_exclusive_group()
    papers.add_argument("--incident", action="store_true", help="its incident on a page, to be posted")
    papers.add_argument("--post-mortem", action="store_true", help="the draft of its post-mortem")
    verify = command(commands, "verify", _verify, "check that a run's journal was not edited after the fact")
    for each in (report, verify):
        each.add_argument("of", nargs="?", default="last", metavar="RUN", help="the run's id, or `last`")
        directory_option(each)


def _signing(commands: "Commands") -> None:
    sign = command(commands, "sign", _sign, "sign as a role of the plan, from your own machine, in the shared record")
    sign.add_argument("role", metavar="ROLE", help="the role's id in the plan, such as qa")
    sign.add_argument("of", nargs="?", default="", metavar="RUN", help="the run's id; without it the one that is open")
    words = sign.add_mutually_exclusive_group()
    words.add_argument("--refuse", metavar="REASON", help="refuse to sign, and say what must change")
    words.add_argument("--note", default="", metavar="TEXT", help="words beside the signature")
    sign.add_argument("--name", metavar="NAME", help="your name, as the record is to have it (that of your account)")
    sign.add_argument("--plan", default="", metavar="DIGEST", help="without a terminal: the plan that was looked at")
    sign.add_argument("--commit", default="", metavar="HASH", help="without a terminal: the commit that was looked at")
    sign.add_argument("--no-wait", action="store_true", help="do not wait for the answer of the driver's console")
    journal_options(sign)


def _sandboxing(sandbox: "Commands") -> None:
    up = command(sandbox, "up", _sandbox_up, "build the sandbox, print where it is reached, keep it until interrupted")
    json_option(up)
    world_options(up)
    directory_option(up, "where its state is kept")
    down = command(sandbox, "down", _sandbox_down, "end a sandbox that was left running")
    down.add_argument("place", nargs="?", type=Path, metavar="PLACE", help="its state; without it: all that are up")
    directory_option(down)


def _stop_printing() -> None:
    """Whoever read our output has gone (`… | head`): nothing more is said, not even by the interpreter as it ends."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def _awaited(work: Coroutine[None, None, Exit], *, again: str = "") -> Exit:
    """Run a command's coroutine. An interrupt leaves a run open, where there is one: `again` goes on with it."""
    try:
        return asyncio.run(work)
    except KeyboardInterrupt:
        left = f"A run that was open is open still: `{again}` goes on with it." if again else "Nothing was changed."
        print(f"Interrupted. {left}", file=sys.stderr)
        return Exit.OPEN if again else Exit.FAILED


def _drive(arguments: Namespace) -> Exit:
    from console.cli.drive import drive_production

    return _awaited(drive_production(arguments.config), again="release-console")


def _rehearse(arguments: Namespace) -> Exit:
    from console.cli.drive import Options, rehearse_plan

    terminal = sys.stdin.isatty() and sys.stdout.isatty()
    options = Options(
        config=arguments.config,
        auto=arguments.auto or not terminal,
        terminal=terminal or arguments.auto,
        json=arguments.json,
        faults=tuple(arguments.fault),
        pace=arguments.pace,
        accounts=arguments.accounts,
        resume=arguments.resume,
        directory=arguments.directory,
        shared=arguments.shared,
        way_back=arguments.rollback or ("recommended" if arguments.on_failure == "rollback" else None),
    )
    return _awaited(rehearse_plan(options), again="release-console rehearse --resume")


def _preflight(arguments: Namespace) -> Exit:
    from console.cli.production import preflight_only

    return _awaited(preflight_only(arguments.config, as_json=arguments.json))


def _watch(arguments: Namespace) -> Exit:
    from console.cli.watch import watch
    from console.cli.web import is_viewer

    if arguments.web:
        return _watch_in_browser(arguments)
    if arguments.port is not None:
        raise ConfigError(["--port is the port of --web."], remedy="Watch in the browser with --web, or leave it out.")
    terminal = is_viewer() or (sys.stdin.isatty() and sys.stdout.isatty())
    try:
        return watch(
            arguments.of,
            arguments.config,
            arguments.directory,
            as_json=arguments.json,
            terminal=terminal,
            journal=arguments.journal,
            journal_tls=arguments.journal_tls,
        )
    except KeyboardInterrupt:
        return Exit.OPEN


def _watch_in_browser(arguments: Namespace) -> Exit:
    from console.cli.watch import run_and_arguments
    from console.cli.web.serving import watch_in_browser

    run, again = run_and_arguments(
        arguments.of, arguments.config, arguments.directory, arguments.journal, arguments.journal_tls
    )
    return watch_in_browser(run, again, arguments.port)


def _runs(arguments: Namespace) -> Exit:
    from console.cli.run_list import list_runs

    return list_runs(
        arguments.config,
        arguments.directory,
        json=arguments.json,
        journal=arguments.journal,
        journal_tls=arguments.journal_tls,
    )


def _report(arguments: Namespace) -> Exit:
    from console.cli.records import INCIDENT, POST_MORTEM, RECORD, print_report

    paper = INCIDENT if arguments.incident else POST_MORTEM if arguments.post_mortem else RECORD
    return print_report(arguments.of, arguments.config, arguments.directory, paper=paper)


def _verify(arguments: Namespace) -> Exit:
    from console.cli.records import verify_journal

    return verify_journal(arguments.of, arguments.config, arguments.directory)


def _sign(arguments: Namespace) -> Exit:
    from console.cli.account import actor, full_name
    from console.cli.shared import shared_place
    from console.cli.sign import Wish, sign

    wish = Wish(
        role=arguments.role,
        name=arguments.name or full_name() or actor().partition("@")[0],
        run=arguments.of,
        refuse=arguments.refuse,
        note=arguments.note,
        plan=arguments.plan,
        commit=arguments.commit,
        wait=not arguments.no_wait,
    )
    place = shared_place(arguments.config, arguments.journal, arguments.journal_tls)
    try:
        return sign(wish, place, terminal=sys.stdin.isatty() and sys.stdout.isatty())
    except KeyboardInterrupt:
        print("Interrupted. Nothing was signed.", file=sys.stderr)
        return Exit.FAILED


def _journal_send(arguments: Namespace) -> Exit:
    from console.cli.journal import send

    return _awaited(send(arguments.config, arguments.directory, arguments.of))


def _journal_init(arguments: Namespace) -> Exit:
    from console.cli.journal import init

    return _awaited(init(arguments.config))


def _plan_check(arguments: Namespace) -> Exit:
    from console.cli.records import check_plan

    return check_plan(arguments.config, json=arguments.json)


def _sandbox_up(arguments: Namespace) -> Exit:
    from console.cli.sandbox import sandbox_until_interrupted

    return _awaited(
        sandbox_until_interrupted(
            arguments.config,
            json=arguments.json,
            faults=tuple(arguments.fault),
            pace=arguments.pace,
            accounts=arguments.accounts,
            directory=arguments.directory,
            shared=arguments.shared,
        )
    )


def _sandbox_down(arguments: Namespace) -> Exit:
    from console.cli.folders import state_directory
    from console.cli.sandbox import sandbox_down

    return _awaited(sandbox_down(arguments.place, state_directory(arguments.config, arguments.directory)))
