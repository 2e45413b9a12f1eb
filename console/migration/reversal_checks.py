"""What must hold for the way back before anything is locked, and what is proven before COMMIT.

The proof is made twice over: the rows while old and new columns stand side by side, the schema when the new ones are
gone.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace

from console.domain.plan import Migration
from console.errors import StepFailed, VerificationFailed
from console.migration import catalog, saved_copy
from console.migration.dependents import find_dependents
from console.migration.inverse import RowsBack, answer, decided, joined, maps_back, touched
from console.migration.names import QualifiedName, quote_identifier
from console.migration.reading import Reader, text_or_none, whole
from console.migration.references import Fate, Method, Reference
from console.migration.saved_copy import Origin
from console.migration.surroundings import surroundings

UNCHANGED = "Nothing was changed: the database is as it was before the way back, with the migrated schema."
_SHOWN = 20
_IN_THE_WAY = frozenset({Fate.BLOCKS, Fate.CASCADES, Fate.BREAKS})


@dataclass(frozen=True, slots=True)
class Ground:
    """What the way back starts from: the tables in full, and where the saved copy comes from."""

    table: QualifiedName
    history: QualifiedName
    saved: QualifiedName
    origin: Origin


@dataclass(frozen=True, slots=True)
class Shape:
    """What must be the same afterwards: how many rows, and the columns that the migration did not touch."""

    rows: int
    columns: tuple[catalog.Column, ...]


async def ground(reader: Reader, migration: Migration) -> Ground:
    """See that there is something to be brought back, and from what. Raises StepFailed, DatabaseError."""
    table = await catalog.resolve_table(reader, migration.table)
    history = await catalog.resolve_table(reader, migration.history.table)
    columns = await catalog.columns_state(reader, migration, table)
    recorded = await catalog.history_row(reader, migration, history) is not None
    if columns.untouched and not recorded:
        raise StepFailed(
            f"{table} has the old schema, and {history} does not know migration {migration.version}: there is nothing "
            "to be brought back.",
            production="Nothing was changed; the database has the old schema.",
            remedy="Skip this step, or choose the way back anew: where production stands is looked at again.",
        )
    if not columns.migrated or not recorded:
        lines = (
            f"history: {history} {'knows' if recorded else 'does not know'} {migration.version}",
            *(f"column {name} is still there" for name in columns.still_there),
            *(f"column {name} is missing" for name in columns.missing),
        )
        raise StepFailed(
            f"{table} has neither the old schema nor the new one: the console cannot bring it back.",
            production=UNCHANGED,
            remedy="Look at what differs. Mend it by hand, or go the way over another database.",
            lines=lines,
        )
    return Ground(table, history, *await _copy(reader, migration, table))


async def _copy(reader: Reader, migration: Migration, table: QualifiedName) -> tuple[QualifiedName, Origin]:
    saved = saved_copy.copy_name(migration, table)
    exists, origin = await saved_copy.existing_origin(reader, saved)
    if origin is None:
        raise StepFailed(
            f"{saved} {'was not made by the console' if exists else 'does not exist'}: there is nothing from which the "
            "dropped columns could be filled.",
            production=UNCHANGED,
            remedy="Find out who dropped or renamed the saved copy, or go the way over another database.",
        )
    lines = tuple(_unfit(origin, migration, table))
    if lines:
        raise StepFailed(
            f"{saved} cannot bring back what migration {migration.version} dropped from {table}: {lines[0]}.",
            production=UNCHANGED,
            remedy="Look whether config.toml is the plan with which the migration was run.",
            lines=lines,
        )
    await catalog.require_key(reader, table, migration.key)
    return saved, origin


def _unfit(origin: Origin, migration: Migration, table: QualifiedName) -> Iterator[str]:
    """Why a copy of ours is not the one that this way back needs."""
    if origin.migration != migration.version:
        yield f"it is of migration {origin.migration}"
    if origin.table != str(table):
        yield f"it is of {origin.table}"
    if origin.key != migration.key:
        yield f"its key is {origin.key}"
    kept = {column.name for column in origin.columns}
    yield from (f"it lacks {name}" for name in migration.removed if name not in kept)


async def dependents_back(reader: Reader, migration: Migration) -> tuple[Reference, ...]:
    """What names a column that goes with the way back: the plan's own views are left out, they are built again."""
    mirrored = replace(migration, removed=migration.added, added=migration.removed)
    own = [QualifiedName.parse(name) for name in (*migration.views, *migration.dropped_views)]
    references = await find_dependents(reader, mirrored)
    return tuple(
        reference
        for reference in references
        if not any(view.matches(QualifiedName.parse(reference.name)) for view in own)
    )


def in_the_way(references: tuple[Reference, ...]) -> tuple[Reference, ...]:
    """Those that keep the new column from being dropped, or would fail without it. A mere word is not enough."""
    return tuple(r for r in references if r.fate in _IN_THE_WAY and r.method is not Method.TEXT)


def refuse_dependents(migration: Migration, references: tuple[Reference, ...]) -> None:
    """Raise StepFailed with the names of what keeps the new columns from going."""
    blocked = in_the_way(references)
    if not blocked:
        return
    names = ", ".join(dict.fromkeys(f"{reference.kind} {reference.name}" for reference in blocked))
    raise StepFailed(
        f"{names} {'needs' if len({r.name for r in blocked}) == 1 else 'need'} {', '.join(migration.added)}, which the "
        "way back drops.",
        production=UNCHANGED,
        remedy="Drop or change what is listed, so that it does not need the new column, then retry.",
        lines=tuple(f"{reference.fate}: {reference}" for reference in blocked),
    )


def refuse_unfillable(migration: Migration, origin: Origin, rows: RowsBack) -> None:
    """Raise StepFailed where a row would have to be NULL in a column that refuses it."""
    values = ", ".join(dict.fromkeys(str(group.value) for group in rows.groups if not group.decided))
    for column in origin.columns:
        if column.name not in migration.removed or not column.not_null or column.default is not None:
            continue
        refuses = f"{column.name} must not be NULL and has no default, and"
        if column.name == migration.mapping.source and rows.undecided:
            raise StepFailed(
                f"{refuses} {rows.undecided} rows hold a value that the inverse does not decide: {values}.",
                production=UNCHANGED,
                remedy="Give these values a rule in [migration.inverse], or these rows another value, then look again.",
            )
        if column.name != migration.mapping.source and rows.written:
            raise StepFailed(
                f"{refuses} {rows.written} rows were written since, for which nothing is saved.",
                production=UNCHANGED,
                remedy="Save and remove these rows by hand, or go the way over another database.",
            )


async def shape(reader: Reader, migration: Migration, table: QualifiedName) -> Shape:
    """What must be the same afterwards."""
    rows = await reader.fetch(f"SELECT count(*) AS rows FROM {table.sql}")  # noqa: S608
    moving = {*migration.added, *migration.removed}
    columns = await catalog.table_columns(reader, table)
    return Shape(whole(rows[0]["rows"]), tuple(column for column in columns if column.name not in moving))


async def prove_rows(reader: Reader, migration: Migration, on: Ground) -> None:
    """Every row has what it should: saved values exactly, else the inverse's answer. Raises VerificationFailed."""
    key = quote_identifier(migration.key)
    wrong = " OR ".join(f"({condition})" for condition in _wrongs(migration))
    if not wrong:
        return
    rows = await reader.fetch(
        f"SELECT present.{key}::text AS key, count(*) OVER () AS total FROM "  # noqa: S608
        f"{joined(migration, on.saved, on.table)} WHERE {wrong} ORDER BY present.{key} LIMIT {_SHOWN:d}"
    )
    if not rows:
        return
    total = whole(rows[0]["total"])
    more = (f"… and {total - len(rows)} more",) if total > len(rows) else ()
    raise VerificationFailed(
        f"{total} {'row has' if total == 1 else 'rows have'} another value than the saved copy or the inverse table "
        "says.",
        remedy="Look for a trigger on the table that changes what is written, or a value that its type cuts short.",
        lines=(*(f"key {row['key']}" for row in rows), *more),
        data={"total": total},
    )


def _wrongs(migration: Migration) -> list[str]:
    """SQL conditions over `present` and `saved`, each true of a row that is not as it should be."""
    known, since, source = "saved.key IS NOT NULL", touched(migration), migration.mapping.source
    conditions = []
    for place, name in enumerate(migration.removed):
        differs = f"present.{quote_identifier(name)}::text IS DISTINCT FROM saved.old{place}::text"
        unless = f" AND NOT {since}" if name == source else ""
        conditions.append(f"{known}{unless} AND {differs}")
    if maps_back(migration):
        filled = f"present.{quote_identifier(source)}::text"
        conditions.append(
            f"(NOT {known} OR {since}) AND {decided(migration)} AND {filled} IS DISTINCT FROM {answer(migration)}"
        )
    return conditions


async def prove_shape(reader: Reader, migration: Migration, on: Ground, before: Shape) -> None:
    """Columns, indexes and views are as the copy remembers them, and nothing else moved. Raises VerificationFailed."""
    columns = {column.name: column for column in await catalog.table_columns(reader, on.table)}
    wanted = {column.name: column for column in on.origin.columns if column.name in migration.removed}
    now = await shape(reader, migration, on.table)
    indexes = set(await catalog.index_definitions(reader, on.table, migration.removed))
    views = dict(await saved_copy.view_definitions(reader, migration))
    further = set(await surroundings(reader, migration, on.table))
    history = await catalog.history_row(reader, migration, on.history)
    problems = (
        *(
            f"column {name} is {_shown(columns.get(name))}, was {_shown(w)}"
            for name, w in wanted.items()
            if columns.get(name) != w
        ),
        *(f"column {name} is still there" for name in migration.added if name in columns),
        *(() if now.columns == before.columns else ("other columns than those of the migration have changed",)),
        *(() if now.rows == before.rows else (f"there were {before.rows} rows, and there are {now.rows}",)),
        *(f"missing: {definition}" for definition in on.origin.indexes if definition not in indexes),
        *(f"view {name} is not as it was" for name, text in on.origin.views if views.get(name) != text),
        *(f"missing: {statement}" for statement in on.origin.further if statement not in further),
        *(f"view {name} was not there before" for name in views if name not in dict(on.origin.views)),
        *(() if history is None else (f"{on.history} still knows {migration.version}",)),
    )
    if problems:
        raise VerificationFailed(
            f"The schema is not what it was before the migration: {problems[0]}.",
            remedy="Look at what differs, and go the way over another database if it cannot be mended.",
            lines=problems,
        )


def _shown(column: catalog.Column | None) -> str:
    if column is None:
        return "missing"
    strict = " NOT NULL" if column.not_null else ""
    return f"{column.type}{strict} DEFAULT {text_or_none(column.default) or 'NULL'}"
