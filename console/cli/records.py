"""Commands that only read: the plan as it is written, and a run that is kept here."""

from datetime import UTC, datetime
from pathlib import Path

from console.cli.exits import Exit, json_line, remark
from console.cli.folders import find_run, must_be_enterable, state_directory
from console.cli.production import load_plan
from console.domain.untrusted import one_line
from console.domain.wire import plan_digest
from console.engine.epochs import read_held
from console.engine.journal import read
from console.engine.runs import replay, verify
from console.errors import ConfigError

RECORD, INCIDENT, POST_MORTEM = "record", "incident", "post-mortem"
"""What `report` prints of a run."""


def check_plan(config: Path, *, json: bool) -> Exit:
    """Say what the plan would do; 2 and every problem when it cannot be used."""
    from console.report.plan_summary import plan_summary

    try:
        plan = load_plan(config)
        must_be_enterable(plan, state_directory(config, None))
    except ConfigError as error:
        if not json:
            raise
        print(json_line({"ok": False, "problems": list(error.problems)}))
        return Exit.USAGE
    if json:
        print(json_line({"ok": True, "name": plan.name, "steps": len(plan.steps), "digest": plan_digest(plan)}))
    else:
        print(plan_summary(plan))
    return Exit.DONE


def print_report(run: str, config: Path, directory: Path | None, *, paper: str = RECORD) -> Exit:
    """The record of a run as Markdown, or one of its incident's papers (`INCIDENT`, `POST_MORTEM`)."""
    from console.report.incident import summary
    from console.report.postmortem import postmortem
    from console.report.record import record

    folder = find_run(state_directory(config, directory), run)
    kept = read(folder)
    _doubt(folder)
    _, state = replay(kept.plan_json, kept.events)
    if paper == RECORD:
        text = record(state, kept.events)
    else:
        draft = summary if paper == INCIDENT else postmortem
        text = draft(state, datetime.now(UTC))
    print(text, end="")
    return Exit.DONE


def verify_journal(run: str, config: Path, directory: Path | None) -> Exit:
    """Whether the record still is what was written; 1 when it is not."""
    folder = find_run(state_directory(config, directory), run)
    checked = verify(folder)
    _doubt(folder)
    if not checked.ok:
        print(one_line(f"✗ {checked.run}: {checked.problem}"))
        return Exit.FAILED
    torn = f"; {checked.torn} bytes of a torn last line were never acted upon" if checked.torn else ""
    print(f"✔ {checked.run}: {checked.events} events, each following from the one before{torn}")
    return Exit.DONE


def _doubt(folder: Path) -> None:
    """Say of a run that somebody else has taken over that this machine does not have its whole record."""
    if read_held(folder).foreign:
        remark(
            f"Somebody else has driven {folder.name} since: what is kept here is not its whole record, and may end with"
            f" what never came into it. `release-console watch {folder.name}` reads the shared one."
        )
