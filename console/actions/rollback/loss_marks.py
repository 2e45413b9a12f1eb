"""The moments that a run has marked, and what the console itself has written since: read from its journaled data.

What always holds: the moment to recover lies before the migration asked for its lock. Steps are found by the name of
their action; an old journal, which lacks some of this, gives less and never an error.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from console.actions.counting import counts_from
from console.actions.handover import Record
from console.actions.own_rows import OWN
from console.domain.loss import Mark
from console.domain.payload import number, text
from console.domain.plan import Json
from console.domain.released import MIGRATE, by_action
from console.domain.state import RunState, StepState
from console.domain.wire import WireError, decode
from console.migration.marks import CIRCLE, Counts, Snapshot
from console.ports import Clock

UNREACHABLE = 600.0
"""Planned seconds: the provider cannot recover the last ten minutes."""

NO_COUNTS: Counts = (0, 0, 0)


@dataclass(frozen=True, slots=True)
class OwnWork:
    """What the console wrote since a mark: its 32-bit transaction ids, and counts by table.

    `troubles` says what could not be told from what users wrote.
    """

    xids: frozenset[int] = frozenset()
    counts: Mapping[str, Counts] = field(default_factory=dict)
    troubles: tuple[str, ...] = ()


def mark_of_migration(state: RunState) -> Mark | None:
    """The moment just before the migration's lock; None when no migration of this run has taken it."""
    began = migration_data(state)
    if "mark" in began:
        return _decoded(began["mark"])
    at, snapshot = text(began, "at"), text(began, "snapshot")
    if not at or not snapshot:
        return None
    # An older console marked the moment after the lock, to the millisecond, and one table's counters before it.
    before = datetime.fromisoformat(at) - timedelta(seconds=number(began, "lock_wait"), milliseconds=1)
    found = began.get("counters")
    return Mark(
        at=before.astimezone(UTC).isoformat(),
        snapshot=snapshot,
        counters={state.plan.migration.table.removeprefix("public."): _counts(found)} if found else {},
        partial=True,
    )


def mark_of_backup(state: RunState) -> Mark | None:
    """The moment before the export was asked for; None when no export of this run is known."""
    for step in by_action(state, "backup.export"):
        data = state.evidence(step.step.id)
        at, snapshot = text(data, "server_time") or text(data, "provider_time"), text(data, "snapshot_before")
        if at and snapshot:
            counted = counts_from(Record("the backup", data).record("counts_before"))
            counters = {name: (each.inserted, each.updated, each.deleted) for name, each in counted.items()}
            return Mark(at, snapshot, counters)
    return None


def moment_to_recover(state: RunState) -> datetime | None:
    """The server's time just before the migration's lock, to the microsecond; None when it is not known."""
    mark = mark_of_migration(state)
    return datetime.fromisoformat(mark.at).astimezone(UTC) if mark is not None else None


def reachable_at(moment: datetime, clock: Clock) -> datetime:
    """When the provider can recover a moment: never in the last ten minutes, which a rehearsal's pace divides."""
    return moment + timedelta(seconds=UNREACHABLE / clock.pace)


def migration_data(state: RunState) -> Mapping[str, Json]:
    """What the migration left of itself: its evidence, or what it journaled on its way; empty before it began."""
    for step in by_action(state, MIGRATE):
        evidence = state.evidence(step.step.id)
        if "snapshot" in evidence:
            return evidence
        for progress in (step.progress, step.unfinished.progress if step.unfinished is not None else ()):
            said = _merged(progress)
            if said:
                return {**said, **evidence}
    return {}


def own_work(state: RunState, mark: Mark) -> OwnWork:
    """What the console's migration, its way back and its checks wrote since a mark, as far as the journal says."""
    xids: set[int] = set()
    counts: dict[str, Counts] = {}
    for written in (migration_data(state), *_schema_built_back(state)):
        xids |= _transactions(written)
        tables = written.get("own_counters")
        for table, found in (tables if isinstance(tables, dict) else {}).items():
            counts[table] = plus(counts.get(table, NO_COUNTS), counts_of(found) or NO_COUNTS)
    troubles: list[str] = []
    since = Snapshot.parse(mark.snapshot).upto
    for own in _checks(state):
        troubles += [text(own, "trouble")] if text(own, "trouble") else []
        begun_after = int(text(own, "since", "0") or "0") >= since
        for table, keys in Record("the checks", own).record("rows").data.items():
            for row in keys.values() if isinstance(keys, dict) else ():
                versions = _ids(row.get("xids")) if isinstance(row, dict) else frozenset()
                xids |= versions
                if begun_after and versions and isinstance(row, dict):
                    made = (1, len(versions) - 1, 1 if row.get("gone") is True else 0)
                    counts[table] = plus(counts.get(table, NO_COUNTS), made)
    return OwnWork(frozenset(xids), counts, tuple(dict.fromkeys(troubles)))


def plus(one: Counts, other: Counts) -> Counts:
    """Both together."""
    return (one[0] + other[0], one[1] + other[1], one[2] + other[2])


def counts_of(value: Json) -> Counts | None:
    """Inserted, updated and deleted as a list of the journal holds them; None when it is none."""
    numbers = [each for each in value if isinstance(each, int)] if isinstance(value, list) else []
    return (numbers[0], numbers[1], numbers[2]) if len(numbers) == 3 else None


def _merged(progress: tuple[Mapping[str, Json], ...]) -> dict[str, Json]:
    """`began` and `committing` of an attempt at the migration as one; empty when it did not begin."""
    said: dict[str, Json] = {}
    for data in progress:
        for key in ("began", "committing"):
            found = data.get(key)
            said.update(found if isinstance(found, dict) else {})
    return said


def _schema_built_back(state: RunState) -> Iterator[Mapping[str, Json]]:
    for step in by_action(state, "rollback.schema"):
        data = state.evidence(step.step.id) or _merged(step.progress)
        began = data.get("began")
        yield {**(began if isinstance(began, dict) else {}), **data}


def _checks(state: RunState) -> Iterator[Mapping[str, Json]]:
    """What each step of checks found of its own rows: the last word of each, which holds those before it."""
    for step in by_action(state, "checks.run"):
        said = [own for own in map(_own, _said(step)) if own]
        if said:
            yield said[-1]


def _said(step: StepState) -> Iterator[Mapping[str, Json]]:
    if step.unfinished is not None:
        yield step.unfinished.before
        yield from step.unfinished.progress
    yield step.before
    yield from step.progress
    if step.evidence is not None:
        yield step.evidence.data


def _own(data: Mapping[str, Json]) -> Mapping[str, Json]:
    found = data.get(OWN)
    return found if isinstance(found, dict) else {}


def _transactions(written: Mapping[str, Json]) -> set[int]:
    """The 32-bit ids of a transaction of the console's: its own, and those of its subtransactions."""
    whole = (text(written, key) or str(written.get(key, "")) for key in ("transaction", "xid"))
    return {int(each) % CIRCLE for each in whole if each.isdecimal()} | _ids(written.get("own_xids"))


def _ids(value: Json) -> frozenset[int]:
    return frozenset(each for each in value if isinstance(each, int)) if isinstance(value, list) else frozenset()


def _counts(value: Json) -> Counts:
    data = value if isinstance(value, dict) else {}
    inserted, updated, deleted = (int(number(data, key)) for key in ("inserted", "updated", "deleted"))
    return inserted, updated, deleted


def _decoded(value: Json) -> Mark | None:
    try:
        return decode(Mark, value)
    except WireError:
        # Not of a shape that this console knows: then there is no mark that it could count from.
        return None
