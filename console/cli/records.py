"""Commands that only read: the plan as it is written, and the runs that are kept."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

from console.cli.exits import Exit, json_line
from console.cli.folders import all_runs, find_run, must_be_enterable, state_directory
from console.cli.production import load_plan
from console.domain.untrusted import one_line
from console.domain.wire import format_time, plan_digest
from console.engine.journal import read
from console.engine.runs import RunSummary, replay, verify
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


def list_runs(config: Path, directory: Path | None, *, json: bool) -> Exit:
    """A line a run, newest first: its state, who drives it, its age."""
    state = state_directory(config, directory)
    kept = all_runs(state)
    if json:
        now = datetime.now(UTC)
        for run in kept:
            print(json_line(_run_json(run, now)))
        return Exit.DONE
    if not kept:
        print(f"No runs in {state}.")
    for run in kept:
        kind = "rehearsal" if run.rehearsal else run.environment
        driver = f"driven by {run.driver.actor}" if run.driver else "nobody drives" if run.open else ""
        line = f"{run.run:<24}{_state(run):<12}{_age(run.created_at):<12}{kind:<12}{run.problem or run.plan}  {driver}"
        print(one_line(line).rstrip())
    return Exit.DONE


def print_report(run: str, config: Path, directory: Path | None, *, paper: str = RECORD) -> Exit:
    """The record of a run as Markdown, or one of its incident's papers (`INCIDENT`, `POST_MORTEM`)."""
    from console.report.incident import summary
    from console.report.postmortem import postmortem
    from console.report.record import record

    kept = read(find_run(state_directory(config, directory), run))
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
    checked = verify(find_run(state_directory(config, directory), run))
    if not checked.ok:
        print(one_line(f"✗ {checked.run}: {checked.problem}"))
        return Exit.FAILED
    torn = f"; {checked.torn} bytes of a torn last line were never acted upon" if checked.torn else ""
    print(f"✔ {checked.run}: {checked.events} events, each following from the one before{torn}")
    return Exit.DONE


def _state(run: RunSummary) -> str:
    return "unreadable" if run.problem else run.outcome or "open"


def _run_json(run: RunSummary, now: datetime) -> dict[str, object]:
    return {
        "run": run.run,
        "state": _state(run),
        "plan": run.plan,
        "environment": run.environment,
        "rehearsal": run.rehearsal,
        "created_at": format_time(run.created_at) if run.created_at else None,
        "last_at": format_time(run.last_at) if run.last_at else None,
        "age_s": round((now - run.created_at).total_seconds()) if run.created_at else None,
        "driver": run.driver.actor if run.driver else None,
        "driver_host": run.driver.host if run.driver else None,
        "driver_pid": run.driver.pid if run.driver else None,
        "driving_since": run.driver.since if run.driver else None,
        "events": run.events,
        "directory": str(run.directory),
        "problem": run.problem,
    }


def _age(since: datetime | None) -> str:
    if since is None:
        return "—"
    age = datetime.now(UTC) - since
    if age < timedelta(hours=1):
        return f"{age.seconds // 60} min ago"
    return f"{age.seconds // 3600} h ago" if age.days == 0 else f"{age.days} d ago"
