"""What bringing the schema back will meet: the copy, the rows by what becomes of them, what is in the way.

The shape of the catalog, the copy's origin and the plan's inverse are facts: if they change after the yes, the yes is
void. Counts and keys move under traffic and are shown only.
"""

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass

from console.actions.wording import counted, listed, quoted
from console.domain.outcome import Fact, Line, Reading, Section, Tone
from console.domain.plan import Migration
from console.migration import catalog, reversal_checks
from console.migration.inverse import Group, RowsBack, Undecided, maps_back, rows_back, undecided_rows
from console.migration.names import quote_literal
from console.migration.rebuilding import present_views, rebuilding, removed_columns
from console.migration.references import Reference
from console.migration.reversal_checks import Ground
from console.ports import Database

SHOWN = 20
"""How many undecided rows are shown; all are counted, and all are listed in the evidence."""


@dataclass(frozen=True, slots=True)
class SchemaOutlook:
    """What was found. `acts` are the titles of the statements; `indexes` and `columns` are the table's as they are."""

    migration: Migration
    on: Ground
    rows: RowsBack
    undecided: tuple[Undecided, ...]
    dependents: tuple[Reference, ...]
    triggers: tuple[str, ...]
    acts: tuple[str, ...]
    columns: tuple[catalog.Column, ...]
    indexes: tuple[str, ...]


async def look_back(database: Database, migration: Migration) -> SchemaOutlook:
    """Look. Raises StepFailed when there is nothing to be brought back, or nothing from which; DatabaseError."""
    on = await reversal_checks.ground(database, migration)
    acts = rebuilding(migration, on.origin, on.saved, on.table, await present_views(database, migration)).acts
    default = next((c.default for c in on.origin.columns if c.name == migration.mapping.source), None)
    given = quote_literal(default) if default is not None else "NULL"
    return SchemaOutlook(
        migration=migration,
        on=on,
        rows=await rows_back(database, migration, on.saved, on.table),
        undecided=await undecided_rows(database, migration, on.saved, on.table, given, limit=SHOWN),
        dependents=await reversal_checks.dependents_back(database, migration),
        triggers=await _triggers(database, on),
        acts=tuple(act.title for act in acts),
        columns=await catalog.table_columns(database, on.table),
        indexes=await catalog.index_definitions(database, on.table, migration.added),
    )


def facts(outlook: SchemaOutlook) -> tuple[Fact, ...]:
    """What must still be so when the schema is brought back."""
    migration, origin = outlook.migration, outlook.on.origin
    shape = [repr(column) for column in outlook.columns] + list(outlook.indexes)
    back = [f"{column.name} {column.type}" for column in removed_columns(migration, origin)]
    inverse = [f"{rule.value} → {rule.becomes}" for rule in migration.inverse]
    needs = sorted(f"{each.kind} {each.name} {each.column}" for each in outlook.dependents)
    return (
        Fact("saved copy", f"{outlook.on.saved}, made by {origin.marker}, transaction {origin.transaction}"),
        Fact(f"shape of {outlook.on.table}", f"{len(outlook.columns)} columns, {_digest(shape)}"),
        Fact("comes back", listed(back)),
        Fact("inverse", ", ".join(inverse) or "none in the plan"),
        Fact("needs the new columns", _digest(needs) if needs else "nothing but the views of the release"),
    )


def readings(outlook: SchemaOutlook) -> tuple[Reading, ...]:
    """The counts, which move."""
    rows = outlook.rows
    undecided = Tone.WARNING if rows.undecided else Tone.GOOD
    return (
        Reading("come back exactly as they were", counted(rows.unchanged, "row"), Tone.GOOD),
        Reading("changed or written since", counted(rows.changed + rows.written, "row")),
        Reading("by the inverse table", counted(rows.mapped, "row")),
        Reading("left to a person", counted(rows.undecided, "row"), undecided),
    )


def sections(outlook: SchemaOutlook) -> tuple[Section, ...]:
    """Everything in full."""
    table, history = outlook.on.table, outlook.on.history
    locks = (
        Line(f"{table}: ACCESS EXCLUSIVE", note="readers and writers wait until COMMIT", tone=Tone.WARNING),
        Line(f"{outlook.on.saved}: ACCESS EXCLUSIVE", note="nobody but the console reads it"),
        Line(f"{history}: ROW EXCLUSIVE", note="one row is taken out; nobody waits"),
    )
    found = (
        Section("Statements", tuple(Line(f"{place}. {title}") for place, title in enumerate(outlook.acts, 1))),
        Section("Locks", locks),
        Section("Rows", row_lines(outlook)),
        Section("Left to a person", undecided_lines(outlook.undecided, outlook.rows.undecided)),
        Section("Goes with the new columns", tuple(Line(str(each), note=each.fate) for each in outlook.dependents)),
        Section("Runs on the filling, as it did in the migration", tuple(Line(each) for each in outlook.triggers)),
    )
    return tuple(section for section in found if section.lines)


def row_lines(outlook: SchemaOutlook) -> tuple[Line, ...]:
    """What becomes of the rows, a line a value."""
    rows = outlook.rows
    lines = [Line(f"{counted(rows.unchanged, 'row')} nobody changed: exactly as before the migration", tone=Tone.GOOD)]
    lines += [_group_line(outlook.migration, group) for group in rows.groups]
    if rows.deleted:
        lines.append(Line(f"{counted(rows.deleted, 'row')} deleted since: they stay deleted", tone=Tone.QUIET))
    return tuple(lines)


def undecided_lines(undecided: tuple[Undecided, ...], total: int) -> tuple[Line, ...]:
    """The undecided rows by key, and how many more there are."""
    lines = [
        Line(
            f"key {row.key}: {quoted(row.value)}",
            note=f"gets {quoted(row.given)}; {'written' if row.new else 'changed'} since",
            tone=Tone.WARNING,
        )
        for row in undecided
    ]
    if total > len(undecided):
        lines.append(Line(f"… and {counted(total - len(undecided), 'row')} more", tone=Tone.WARNING))
    return tuple(lines)


def _group_line(migration: Migration, group: Group) -> Line:
    since = f"{counted(group.rows, 'row')} {'written' if group.new else 'changed'} since"
    if not maps_back(migration):
        return Line(f"{quoted(group.value)}: {since}")
    if not group.decided:
        return Line(f"{quoted(group.value)} → ?: {since}", note="the inverse table has no answer", tone=Tone.WARNING)
    return Line(f"{quoted(group.value)} → {quoted(group.becomes)}: {since}", note="by the inverse table")


async def _triggers(database: Database, on: Ground) -> tuple[str, ...]:
    """The table's own triggers that an UPDATE of any column fires."""
    rows = await database.fetch(
        "SELECT tgname AS name, pg_get_triggerdef(oid) AS definition FROM pg_trigger "
        "WHERE tgrelid = to_regclass(%(table)s) AND NOT tgisinternal AND tgenabled IN ('O', 'A') "
        "AND tgtype & 16 > 0 AND tgattr::text = '' ORDER BY tgname",
        {"table": on.table.sql},
    )
    return tuple(str(row["definition"]) for row in rows)


def _digest(parts: Iterable[str]) -> str:
    return hashlib.sha256("\n".join(parts).encode()).hexdigest()[:16]
