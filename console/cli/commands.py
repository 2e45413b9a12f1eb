"""The commands, their options and their help; what they do stands in the modules beside this one."""

import asyncio
import sys
from collections.abc import Coroutine
from pathlib import Path
from typing import Annotated

import typer

from console import __version__
from console.cli.exits import Exit, fail, from_os
from console.cli.plan_file import DEFAULT_CONFIG
from console.errors import ConsoleError

app = typer.Typer(
    name="release-console",
    help="Drive a production deployment from one terminal.",
    add_completion=False,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
)
plan_app = typer.Typer(help="Read a plan without starting anything.", rich_markup_mode=None, no_args_is_help=True)
sandbox_app = typer.Typer(help="The rehearsal's world alone.", rich_markup_mode=None, no_args_is_help=True)
app.add_typer(plan_app, name="plan")
app.add_typer(sandbox_app, name="sandbox")

Config = Annotated[Path, typer.Option("--config", help="The plan.", metavar="FILE")]
Json = Annotated[bool, typer.Option("--json", help="Machine-readable lines only.")]
FaultList = Annotated[
    list[str] | None,
    typer.Option("--fault", metavar="NAME", help="Practise on a fault (several: repeat). `--fault list` names them."),
]
Pace = Annotated[float, typer.Option(help="Divides the waits that sandbox and plan invent.", min=1, max=10_000)]
Accounts = Annotated[int, typer.Option(help="How many accounts the sandbox's database holds.", min=1, max=5_000_000)]

Directory = Annotated[Path | None, typer.Option(help="Where runs are kept.", metavar="DIR")]


def main() -> None:
    """The console script."""
    try:
        app()
    except ConsoleError as error:
        fail(error)
    except OSError as error:
        fail(from_os(error, "The console could not go on"))


def _run(work: Coroutine[None, None, Exit]) -> None:
    """Run a command's coroutine and leave with its exit code; an interrupt leaves the run open."""
    try:
        code = asyncio.run(work)
    except KeyboardInterrupt:
        print("Interrupted. A run that was open is open still: start again to resume it.", file=sys.stderr)
        code = Exit.OPEN
    raise SystemExit(int(code))


@app.callback(invoke_without_command=True)
def drive(
    context: typer.Context,
    config: Config = DEFAULT_CONFIG,
    version: Annotated[bool, typer.Option("--version", help="Print the version.")] = False,
) -> None:
    """Drive the plan in ./config.toml; a run that is open is resumed."""
    if version:
        print(f"release-console {__version__}")
        raise SystemExit(int(Exit.DONE))
    if context.invoked_subcommand is not None:
        return
    from console.cli.drive import drive_production

    _run(drive_production(config))


@app.command()
def rehearse(
    config: Config = DEFAULT_CONFIG,
    auto: Annotated[bool, typer.Option("--auto", help="Unattended (also without a terminal).")] = False,
    json: Json = False,
    fault: FaultList = None,
    pace: Pace = 60.0,
    accounts: Accounts = 449,
    resume: Annotated[bool, typer.Option("--resume", help="Go on with the last open rehearsal.")] = False,
    directory: Directory = None,
) -> None:
    """Drive the same plan against a sandbox: real servers on this machine."""
    from console.cli.drive import Options, rehearse_plan

    options = Options(
        config=config,
        auto=auto or not sys.stdin.isatty() or not sys.stdout.isatty(),
        json=json,
        faults=tuple(fault or ()),
        pace=pace,
        accounts=accounts,
        resume=resume,
        directory=directory,
    )
    _run(rehearse_plan(options))


@app.command()
def preflight(config: Config = DEFAULT_CONFIG, json: Json = False) -> None:
    """Go or no-go: look at everything the plan needs; change nothing."""
    from console.cli.production import preflight_only

    _run(preflight_only(config, as_json=json))


@app.command()
def runs(
    config: Config = DEFAULT_CONFIG,
    json: Json = False,
    directory: Directory = None,
) -> None:
    """List the runs that are kept: state, driver and age."""
    from console.cli.records import list_runs

    raise SystemExit(int(list_runs(config, directory, json=json)))


@app.command()
def report(
    run: Annotated[str, typer.Argument(help="The run's id, or `last`.")] = "last",
    config: Config = DEFAULT_CONFIG,
    directory: Directory = None,
) -> None:
    """Print the record of a run: the plan's document, filled in, as Markdown."""
    from console.cli.records import print_report

    raise SystemExit(int(print_report(run, config, directory)))


@app.command()
def verify(
    run: Annotated[str, typer.Argument(help="The run's id, or `last`.")] = "last",
    config: Config = DEFAULT_CONFIG,
    directory: Directory = None,
) -> None:
    """Check that a run's journal was not edited after the fact."""
    from console.cli.records import verify_journal

    raise SystemExit(int(verify_journal(run, config, directory)))


@plan_app.command("check")
def plan_check(config: Config = DEFAULT_CONFIG, json: Json = False) -> None:
    """Check a plan, and say what it would do; needs no secrets and starts nothing."""
    from console.cli.records import check_plan

    raise SystemExit(int(check_plan(config, json=json)))


@sandbox_app.command("up")
def sandbox_up(
    config: Config = DEFAULT_CONFIG,
    json: Json = False,
    fault: FaultList = None,
    pace: Pace = 60.0,
    accounts: Accounts = 449,
    directory: Annotated[Path | None, typer.Option(help="Where its state is kept.", metavar="DIR")] = None,
) -> None:
    """Build the sandbox, print where it is reached, and keep it until interrupted."""
    from console.cli.sandbox import sandbox_until_interrupted

    _run(
        sandbox_until_interrupted(
            config, json=json, faults=tuple(fault or ()), pace=pace, accounts=accounts, directory=directory
        )
    )


@sandbox_app.command("down")
def sandbox_down(
    place: Annotated[Path | None, typer.Argument(help="Its state; without it: every sandbox that is up.")] = None,
    config: Config = DEFAULT_CONFIG,
    directory: Directory = None,
) -> None:
    """End a sandbox that was left running."""
    from console.cli.folders import state_directory
    from console.cli.sandbox import sandbox_down as end

    _run(end(place, state_directory(config, directory)))
