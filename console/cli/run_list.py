"""`release-console runs`: the runs of this machine and those of the shared record, each once, newest first.

A run that both have is told as the shared record has it, where it may have gone on elsewhere; unless it is driven here.
A shared record that is not reached is a remark, and never keeps the runs of this machine from being listed.
"""

import asyncio
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

from console.cli.exits import Exit, json_line, remark
from console.cli.folders import all_runs, state_directory
from console.cli.shared import SharedPlace, observer_store, shared_place
from console.domain import payload
from console.domain.events import Event, Kind
from console.domain.shared import SharedRun
from console.domain.untrusted import one_line
from console.domain.wire import WireError, decode_event, format_time
from console.engine.driver import Driver
from console.engine.holding import by_lease
from console.engine.runs import RunSummary
from console.errors import ConsoleError
from console.ports import ObserverStore

HERE, SHARED = "here", "shared"
"""Where a run's record is read."""


@dataclass(frozen=True, slots=True)
class Row:
    """A run in the list. `gone` is a driver who is not at the shared record any more and did not leave: they may go on
    elsewhere. `directory` is what this machine has of the run, if anything."""

    run: str
    state: str
    created_at: datetime | None
    last_at: datetime | None
    plan: str = ""
    environment: str = ""
    rehearsal: bool = False
    events: int = 0
    where: str = HERE
    driver: Driver | None = None
    gone: Driver | None = None
    directory: Path | None = None
    problem: str = ""

    @property
    def driven(self) -> str:
        """Who drives it, for a person; empty where that is no question any more."""
        if self.driver is not None:
            return f"driven by {self.driver.actor}"
        if self.state != "open":
            return ""
        return f"{self.gone.actor} is not at the shared record" if self.gone is not None else "nobody drives"


def list_runs(
    config: Path, directory: Path | None, *, json: bool, journal: str | None = None, journal_tls: str | None = None
) -> Exit:
    """A line a run, newest first: its state, who drives it, its age, and where it is. Raises ConfigError."""
    state, place = state_directory(config, directory), shared_place(config, journal, journal_tls)
    rows = {run.run: _kept(run) for run in all_runs(state)}
    for shared in () if place is None else asyncio.run(_read(place)):
        kept = rows.get(shared.run)
        if kept is None or kept.driver is None:
            rows[shared.run] = replace(shared, directory=kept.directory if kept is not None else None)
    listed = sorted(rows.values(), key=lambda row: row.run, reverse=True)
    now = datetime.now(UTC)
    for row in listed:
        print(json_line(_json(row, now)) if json else one_line(_line(row, now)).rstrip())
    if not listed and not json:
        print(f"No runs in {state}" + (" or in the shared record." if place is not None else "."))
    return Exit.DONE


async def _read(place: SharedPlace) -> list[Row]:
    """The runs of the shared record; none, and a remark, where it is not reached."""
    store: ObserverStore | None = None
    try:
        store = await observer_store(place)
        return [await _shared(store, run) for run in await store.runs()]
    except ConsoleError as error:
        remark(f"The runs of the shared record are not listed: {error.message} {error.remedy}".rstrip())
        return []
    finally:
        if store is not None:
            await store.close()


async def _shared(store: ObserverStore, run: SharedRun) -> Row:
    first = await store.lines(run.run, 0, 1)
    try:
        created, last = [decode_event(line)[0] for line in first], [decode_event(line)[0] for line in run.last]
    except WireError as error:
        return Row(
            run.run, "unreadable", run.created_at, run.last_at, events=run.events, where=SHARED, problem=str(error)
        )
    names = created[0].data.get("plan") if created else None
    plan = names if isinstance(names, dict) else {}
    holding = by_lease(run.lease)
    left = any(event.kind is Kind.DRIVER_LEFT for event in last)
    return Row(
        run=run.run,
        state=next((_outcome(event) for event in last if event.kind is Kind.RUN_FINISHED), "open"),
        created_at=created[0].at if created else run.created_at,
        last_at=last[-1].at if last else None,
        plan=payload.text(plan, "name"),
        environment=payload.text(plan, "environment"),
        rehearsal=bool(created) and created[0].data.get("rehearsal") is True,
        events=run.events,
        where=SHARED,
        driver=holding.driver,
        gone=None if left else holding.gone,
    )


def _outcome(event: Event) -> str:
    return payload.text(event.data, "outcome")


def _kept(run: RunSummary) -> Row:
    return Row(
        run=run.run,
        state="unreadable" if run.problem else run.outcome or "open",
        created_at=run.created_at,
        last_at=run.last_at,
        plan=run.plan,
        environment=run.environment,
        rehearsal=run.rehearsal,
        events=run.events,
        driver=run.driver,
        directory=run.directory,
        problem=run.problem,
    )


def _line(row: Row, now: datetime) -> str:
    kind = "rehearsal" if row.rehearsal else row.environment
    where = f"  ({SHARED})" if row.where == SHARED else ""
    about = f"{row.problem or row.plan}  {row.driven}".rstrip()
    return f"{row.run:<24}{row.state:<12}{_age(row.created_at, now):<12}{kind:<12}{about}{where}"


def _json(row: Row, now: datetime) -> dict[str, object]:
    driver = row.driver
    return {
        "run": row.run,
        "state": row.state,
        "where": row.where,
        "plan": row.plan,
        "environment": row.environment,
        "rehearsal": row.rehearsal,
        "created_at": format_time(row.created_at) if row.created_at else None,
        "last_at": format_time(row.last_at) if row.last_at else None,
        "age_s": round((now - row.created_at).total_seconds()) if row.created_at else None,
        "driver": driver.actor if driver else None,
        "driver_host": driver.host if driver else None,
        "driver_pid": driver.pid if driver else None,
        "driving_since": driver.since if driver else None,
        "driver_gone": row.gone.actor if row.gone else None,
        "events": row.events,
        "directory": str(row.directory) if row.directory else None,
        "problem": row.problem,
    }


def _age(since: datetime | None, now: datetime) -> str:
    if since is None:
        return "—"
    age = now - since
    if age < timedelta(hours=1):
        return f"{age.seconds // 60} min ago"
    return f"{age.seconds // 3600} h ago" if age.days == 0 else f"{age.days} d ago"
