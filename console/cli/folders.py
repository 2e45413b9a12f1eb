"""Where runs are kept, and which of them is meant.

`<state>/runs/<run>` holds the runs of real plans, `<state>/rehearsals/<run>` those of rehearsals with their
worlds. Everything is the owner's alone, unless the plan lets a group read the record.
"""

import shlex
from datetime import UTC, datetime
from pathlib import Path

from console.cli.plan_file import DEFAULT_CONFIG, journal_directory, must_exist
from console.domain.plan import Plan
from console.engine.runs import RunSummary, new_run_id, runs
from console.engine.sharing import GROUP, closed_way, foreign_group
from console.errors import ConfigError, JournalError

KINDS = ("runs", "rehearsals")


def state_directory(config: Path | None, directory: Path | None) -> Path:
    """The folder under which runs are kept: the one named, the plan's, or the user's state directory.

    Raises ConfigError when a plan was named that is not there.
    """
    import platformdirs

    if directory is not None:
        return directory.expanduser().resolve()
    if config is not None and config != DEFAULT_CONFIG:
        must_exist(config)
    named = journal_directory(config) if config is not None else None
    return named or platformdirs.user_state_path("release-console", appauthor=False)


def must_be_enterable(plan: Plan, state: Path) -> None:
    """Raises ConfigError when the plan lets a group watch its runs, and the group cannot enter where they are kept."""
    if plan.readable_by != GROUP:
        return
    elsewhere = 'keep the runs elsewhere with `[journal] directory`, or say `readable_by = "owner"`.'
    asked = 'journal.readable_by: "group" was asked for, but'
    if foreign := foreign_group(state):
        problem = f"{asked} {state} belongs to the group {foreign}, which you are not in and so cannot let in."
        raise ConfigError([problem], remedy=f"Give it to a group of yours with `chgrp GROUP {state}`, {elsewhere}")
    if closed := closed_way(state):
        problem = f"{asked} {closed}: nobody could watch the runs in {state}."
        raise ConfigError([problem], remedy=f"Allow it with `{closed.command}`, {elsewhere}")


def resume_command(run: Path) -> str:
    """The command that goes on with the rehearsal in the folder `run`, wherever it is kept."""
    kept = run.parent.parent
    place = "" if kept == state_directory(None, None) else f" --directory {shlex.quote(str(kept))}"
    return f"release-console rehearse --resume{place}"


def fresh_run_id() -> str:
    """The id of a run that begins now."""
    return new_run_id(datetime.now(UTC))


def all_runs(state: Path) -> list[RunSummary]:
    """All runs, newest first."""
    found = [run for kind in KINDS for run in runs(state / kind)]
    return sorted(found, key=lambda run: run.run, reverse=True)


def find_run(state: Path, name: str) -> Path:
    """The folder of a run by its id (or an unambiguous beginning of one), or of the `last`. Raises JournalError."""
    kept = all_runs(state)
    fitting = kept[:1] if name == "last" else [run for run in kept if run.run.startswith(name)]
    if len(fitting) == 1:
        return fitting[0].directory
    what = "There are no runs" if not kept else f"{len(fitting) or 'No'} runs are called {name}"
    raise JournalError(f"{what} in {state}.", remedy="`release-console runs` lists them.")
