"""The new instance held against the record, before anything uses it.

Its tables hold as many rows as the counts around the export allow, widened for a later moment by what the counters
show until the fence (they come some seconds late: those at the fence lack nothing). Its schema is the old one, and the
values that the migration found are there. What always holds: a difference stops the way before the switch.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace

from console.actions.counting import Bounds, Comparison, compare, counts_from
from console.actions.databases import Databases
from console.actions.handover import Record, left_by, must_have_left
from console.actions.production import in_production
from console.actions.read_only import ReadOnly
from console.actions.rollback.database_ground import FENCE, RECOVER, WAYS_ON, fenced_off
from console.actions.rollback.database_price import MOMENT
from console.actions.rollback.loss_marks import counts_of, migration_data
from console.actions.wording import counted, listed, quoted
from console.domain.databases import TableCount
from console.domain.outcome import Evidence, Fact, Line, Preview, Progress, Section, Tone
from console.domain.payload import number
from console.domain.plan import Json
from console.errors import StepFailed, VerificationFailed
from console.migration import catalog
from console.ports import Context, Database, Report

_REMEDY = "Reopen the recovery for another instance, or choose another way back. The old instance has every row."


@dataclass(frozen=True, slots=True)
class _Shape:
    """What of the schema and of the migrated table's values is not as before the migration, and what was looked at."""

    wrong: tuple[str, ...]
    lines: tuple[Line, ...]


class RollbackCompare(ReadOnly):
    """`rollback.compare`: hold the new instance against the backup's counts and the old schema.

    Evidence: `tables` ({table: {`rows`, `expected_low`, `expected_high`}}), `schema` ("old"), `unproven` (sentences).
    """

    def __init__(self, databases: Databases) -> None:
        self._databases = databases

    async def preview(self, ctx: Context) -> Preview:
        """Which instance is held against which counts."""
        with in_production(ctx, WAYS_ON, production=fenced_off(ctx)):
            new, backup = must_have_left(ctx, RECOVER), must_have_left(ctx, "backup.export")
        tables = len(backup.record("counts_after").data)
        return Preview(
            summary=f"Compare {new.text('name')} with the counts around the backup, and its schema with the old one",
            facts=(
                Fact("new instance", f"{new.text('name')} ({new.text('postgres_id')})"),
                Fact("counts of", f"export {backup.text('export')}, {counted(tables, 'table')}"),
            ),
            consequences=(Line("Reads only.", tone=Tone.GOOD),),
        )

    async def perform(self, ctx: Context, report: Report) -> Evidence:
        """Count and look. Raises StepFailed with every difference."""
        with in_production(ctx, _REMEDY, production=fenced_off(ctx)):
            new = must_have_left(ctx, RECOVER)
            database = await self._databases.of(ctx.plan, new.text("postgres_id"))
            await report(Progress(f"counting the rows of {new.text('name')}"))
            rows = {each.table: each.rows for each in await database.counts()}
            result = self._judged(ctx, new, rows)
            await report(Progress("looking at the schema and the values of the migrated table"))
            shape = await _shape(ctx, database, new.text("from") == MOMENT)
            wrong = (*result.wrong, *shape.wrong)
            if wrong:
                raise StepFailed(
                    f"{new.text('name')} is not what was there before: {wrong[0]}"
                    + (f" (and {len(wrong) - 1} more)" if len(wrong) > 1 else ""),
                    lines=wrong,
                )
        return _evidence(new, result, shape)

    async def verify(self, ctx: Context, evidence: Evidence) -> None:
        """The new instance still answers, with the old schema."""
        with in_production(ctx, _REMEDY, production=fenced_off(ctx)):
            database = await self._databases.of(ctx.plan, must_have_left(ctx, RECOVER).text("postgres_id"))
            shape = await _shape(ctx, database, False)
            if shape.wrong:
                raise VerificationFailed("The new instance does not have the old schema.", lines=shape.wrong)

    def _judged(self, ctx: Context, new: Record, rows: Mapping[str, int]) -> Comparison:
        backup = must_have_left(ctx, "backup.export")
        before, after = counts_from(backup.record("counts_before")), counts_from(backup.record("counts_after"))
        if new.text("from") == MOMENT:
            after = _until_fence(ctx, after)
        return compare(before, after, rows, new.texts("unproven"))


def _until_fence(ctx: Context, after: Mapping[str, TableCount]) -> dict[str, TableCount]:
    """The counts after the export, with the counters as far as they are known later: they widen what is allowed."""
    fence = left_by(ctx, FENCE)
    counters = fence.record("counters").data if fence is not None else {}
    later: dict[str, TableCount] = {}
    for table, count in after.items():
        inserted, updated, deleted = counts_of(counters.get(table)) or (count.inserted, count.updated, count.deleted)
        later[table] = replace(count, inserted=inserted, updated=updated, deleted=deleted)
    return later


async def _shape(ctx: Context, database: Database, at_the_moment: bool) -> _Shape:
    """Columns, views and history as before the migration; for its moment also the values that it found."""
    migration = ctx.plan.migration
    table = await catalog.resolve_table(database, migration.table)
    columns = await catalog.columns_state(database, migration, table)
    wrong: list[str] = []
    if not columns.untouched:
        there = await catalog.table_columns(database, table)
        names = {column.name for column in there}
        missing = [name for name in migration.removed if name not in names]
        too_many = [name for name in migration.added if name in names]
        wrong += [f"{migration.table} lacks {listed(missing)}"] if missing else []
        wrong += [f"{migration.table} already has {listed(too_many)}"] if too_many else []
    if await catalog.history_row(database, migration) is not None:
        wrong.append(f"{migration.history.table} already names migration {migration.version}")
    lines = [Line(f"{migration.table} has {listed(migration.removed)}, and no {listed(migration.added)}")]
    if wrong or not at_the_moment:
        return _Shape(tuple(wrong), tuple(lines))
    values = dict(await catalog.value_counts(database, table, migration.mapping.source))
    differing, allowed = _differing(ctx, values)
    lines.append(Line(f"values of {migration.mapping.source}: {counted(differing, 'row')} other than then"))
    if differing > allowed:
        known = _old_counts(ctx)
        details = tuple(
            f"{migration.mapping.source} {quoted(value)}: {values.get(value, 0):,}, the migration found "
            f"{known.get(value, 0):,}"
            for value in dict.fromkeys((*known, *values))
            if values.get(value, 0) != known.get(value, 0)
        )
        return _Shape((*wrong, *details), tuple(lines))
    return _Shape(tuple(wrong), tuple(lines))


def _differing(ctx: Context, values: Mapping[str | None, int]) -> tuple[int, int]:
    """In how many rows the values differ from what the migration found, and how many that may be.

    Users may have written between the mark and the lock: rows that were changed are recorded; rows that were deleted
    then are among all those that the counters show until the fence.
    """
    data, found = migration_data(ctx.state), _old_counts(ctx)
    if not found:
        return 0, 0
    differing = max(
        sum(max(0, values.get(value, 0) - found.get(value, 0)) for value in {*values, *found}),
        sum(max(0, found.get(value, 0) - values.get(value, 0)) for value in {*values, *found}),
    )
    table = ctx.plan.migration.table.removeprefix("public.")
    mark = counts_of(Record("", data).record("mark").record("counters").data.get(table))
    fence = left_by(ctx, FENCE)
    late = counts_of(fence.record("counters").data.get(table)) if fence is not None else None
    deleted = late[2] - mark[2] if late is not None and mark is not None else 0
    return differing, int(number(data, "hidden")) + max(0, deleted)


def _old_counts(ctx: Context) -> dict[str | None, int]:
    """How many rows had each value of the mapped column when the migration began; empty when it is not on record."""
    listed_counts = migration_data(ctx.state).get("old_counts")
    counts: dict[str | None, int] = {}
    for each in listed_counts if isinstance(listed_counts, list) else []:
        if isinstance(each, list) and len(each) == 2 and isinstance(each[1], int):
            counts[None if each[0] is None else str(each[0])] = each[1]
    return counts


def _evidence(new: Record, result: Comparison, shape: _Shape) -> Evidence:
    tables: dict[str, Json] = {
        table: {"rows": rows, "expected_low": limits.low, "expected_high": limits.high}
        for table, (rows, limits) in result.proven.items()
    }
    proven = tuple(_proven_line(table, rows, limits) for table, (rows, limits) in result.proven.items())
    unproven = tuple(Line(sentence, tone=Tone.WARNING) for sentence in result.unproven)
    sections = (Section("Counted", proven), Section("Not proven", unproven), Section("Schema", shape.lines))
    return Evidence(
        f"{counted(len(result.proven), 'table')} of {new.text('name')} hold what was there before; old schema",
        {"tables": tables, "schema": "old", "unproven": list(result.unproven)},
        tuple(section for section in sections if section.lines),
    )


def _proven_line(table: str, rows: int, limits: Bounds) -> Line:
    return Line(f"{table}: {rows:,} rows", note=f"{limits} expected", tone=Tone.GOOD)
