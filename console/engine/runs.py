"""The runs that lie in a folder: naming new ones, listing them, checking that a record was not edited."""

import secrets
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from console.domain.events import Event, Kind
from console.domain.wire import WireError, frozen_digest
from console.engine.driver import Driver, driver_of
from console.engine.journal import JOURNAL_FILE, Record, read
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
    if not root.is_dir():
        return ()
    folders = sorted((each for each in root.iterdir() if (each / JOURNAL_FILE).is_file()), reverse=True)
    return tuple(_summary(each) for each in folders)


def verify(directory: Path) -> Verification:
    """Check that the lines of a run's journal follow from each other and that its plan is the one it began with."""
    try:
        record = read(directory)
    except JournalBroken as error:
        return Verification(directory.name, error.line - 1, error.message, error.line)
    except JournalError as error:
        return Verification(directory.name, 0, error.message)
    return Verification(record.run, len(record.events), _plan_problem(record), torn=record.torn)


def _plan_problem(record: Record) -> str:
    created = _created(record.events)
    if created is None:
        return ""
    try:
        digest = frozen_digest(record.plan_json)
    except WireError as error:
        return f"The frozen plan cannot be read: {error}."
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


def _created(events: tuple[Event, ...]) -> Event | None:
    return events[0] if events and events[0].kind is Kind.RUN_CREATED else None


def _outcome(events: tuple[Event, ...]) -> str:
    """What the run was closed as. Nothing is ever recorded behind that but who left."""
    for event in reversed(events[-3:]):
        if event.kind is Kind.RUN_FINISHED:
            return str(event.data.get("outcome", ""))
    return ""
