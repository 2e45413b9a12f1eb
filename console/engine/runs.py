"""The runs that lie in a folder: naming new ones, listing them, replaying one, checking that none was edited."""

import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from console.domain.events import Event, Kind
from console.domain.fold import fold
from console.domain.plan import Plan
from console.domain.state import RunState
from console.domain.wire import WireError, decode_plan, frozen_digest
from console.engine.driver import Driver, driver_of
from console.engine.journal import JOURNAL_FILE, read
from console.errors import JournalBroken, JournalError


@dataclass(frozen=True, slots=True)
class RunSummary:
    """A run in the list. `outcome` is empty while it is open; `driver` is who drives it now; `problem` why it cannot
    be read, empty when it can."""

    run: str
    directory: Path
    created_at: datetime | None
    last_at: datetime | None
    plan: str
    environment: str
    rehearsal: bool
    outcome: str
    driver: Driver | None
    events: int
    problem: str = ""

    @property
    def open(self) -> bool:
        """Whether it can be gone on with."""
        return not self.outcome and not self.problem and self.events > 0


@dataclass(frozen=True, slots=True)
class Verification:
    """What checking a record found: how many events, and the first thing that does not hold (with its line)."""

    run: str
    events: int
    problem: str = ""
    line: int | None = None
    torn: int = 0

    @property
    def ok(self) -> bool:
        """Whether the record holds together; a torn last line was never acted upon and is no edit."""
        return not self.problem


def new_run_id(now: datetime) -> str:
    """A run's id: its time (UTC) and four random digits, so that names sort by age: `20260204-201403-a1b2`."""
    return f"{now:%Y%m%d-%H%M%S}-{secrets.token_hex(2)}"


def runs(root: Path) -> tuple[RunSummary, ...]:
    """The runs in a folder, newest first. One that cannot be read is listed with its problem."""
    return tuple(_summary(each) for each in run_folders(root))


def run_folders(root: Path) -> list[Path]:
    """The folders of the runs in a folder, newest first; also of those that others may not look into."""
    return sorted(filter(_holds_run, root.iterdir()), reverse=True) if root.is_dir() else []


def _holds_run(folder: Path) -> bool:
    try:
        return (folder / JOURNAL_FILE).is_file()
    except PermissionError:
        return True


def verify(directory: Path) -> Verification:
    """Check that the lines of a run's journal follow from each other and that its plan is the one it began with."""
    try:
        record = read(directory)
    except JournalBroken as error:
        return Verification(directory.name, error.line - 1, error.message, error.line)
    except JournalError as error:
        return Verification(directory.name, 0, error.message)
    return Verification(record.run, len(record.events), plan_problem(record.plan_json, record.events), torn=record.torn)


def replay(plan_json: str, events: Sequence[Event]) -> tuple[Plan, RunState]:
    """The plan that a run froze, and its state. Raises JournalError when they are not what the run began with."""
    problem = plan_problem(plan_json, events)
    if not problem:
        try:
            plan = decode_plan(plan_json)
            return plan, fold(plan, events)
        except ValueError as error:  # of which WireError is one
            problem = f"Plan and journal do not fit together: {error}."
    raise JournalError(
        problem,
        production="The console has changed nothing.",
        remedy="A record that was edited cannot be driven on: put plan.json back, or start another run.",
    )


def plan_problem(plan_json: str, events: Sequence[Event]) -> str:
    """Why this is not the plan that the run of these events began with; empty when it is."""
    try:
        digest = frozen_digest(plan_json)
    except WireError as error:
        return f"The frozen plan cannot be read: {error}."
    created = _created(events)
    if created is None:
        return ""
    plan = created.data.get("plan")
    known = plan.get("digest") if isinstance(plan, dict) else None
    return "" if known == digest else "The frozen plan is not the one that the run began with."


def _summary(directory: Path) -> RunSummary:
    try:
        record = read(directory)
    except JournalError as error:
        return RunSummary(directory.name, directory, None, None, "", "", False, "", None, 0, error.message)
    created = _created(record.events)
    plan = created.data.get("plan") if created is not None else None
    names = plan if isinstance(plan, dict) else {}
    last = record.events[-1] if record.events else None
    return RunSummary(
        run=record.run,
        directory=directory,
        created_at=created.at if created is not None else None,
        last_at=last.at if last is not None else None,
        plan=str(names.get("name", "")),
        environment=str(names.get("environment", "")),
        rehearsal=created is not None and created.data.get("rehearsal") is True,
        outcome=_outcome(record.events),
        driver=driver_of(directory),
        events=len(record.events),
    )


def _created(events: Sequence[Event]) -> Event | None:
    return events[0] if events and events[0].kind is Kind.RUN_CREATED else None


def _outcome(events: Sequence[Event]) -> str:
    """What the run was closed as. Nothing is ever recorded behind that but who left."""
    for event in reversed(events[-3:]):
        if event.kind is Kind.RUN_FINISHED:
            return str(event.data.get("outcome", ""))
    return ""
