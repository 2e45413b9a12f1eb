"""The statements that build the old schema again, in their order, from what the saved copy says of itself.

Columns come back at the end of the table, with their types and defaults, so that rows without saved values get the
defaults; NOT NULL returns when every row has its value. Indexes, views and what belongs to them are made exactly as
they were.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from console.domain.plan import Migration
from console.migration import catalog
from console.migration.inverse import answer, decided, maps_back, saved_rows, touched
from console.migration.names import QualifiedName, quote_identifier
from console.migration.reading import Reader
from console.migration.saved_copy import Origin

_KINDS = {"v": "VIEW", "m": "MATERIALIZED VIEW"}


@dataclass(frozen=True, slots=True)
class Act:
    """One statement of the way back, with a short name for people."""

    title: str
    sql: str


@dataclass(frozen=True, slots=True)
class Rebuilding:
    """What is done before the rows are proven, and what afterwards. After the `later` acts no new column is left."""

    first: tuple[Act, ...]
    later: tuple[Act, ...]

    @property
    def acts(self) -> tuple[Act, ...]:
        """All of them, in order."""
        return (*self.first, *self.later)


@dataclass(frozen=True, slots=True)
class View:
    """A view of the plan as it is now; `kind` is VIEW or MATERIALIZED VIEW."""

    name: QualifiedName
    kind: str


def removed_columns(migration: Migration, origin: Origin) -> tuple[catalog.Column, ...]:
    """The columns that come back, as they were, in the plan's order. Raises KeyError for one that the copy lacks."""
    kept = {column.name: column for column in origin.columns}
    return tuple(kept[name] for name in migration.removed)


async def present_views(reader: Reader, migration: Migration) -> tuple[View, ...]:
    """The plan's views that are there now: they may read the new column, and go before it does."""
    names = {QualifiedName.parse(name).sql: name for name in (*migration.views, *migration.dropped_views)}
    rows = await reader.fetch(
        "SELECT name, relkind::text AS kind FROM unnest(%(names)s::text[]) AS name "
        "JOIN pg_class ON oid = to_regclass(name) AND relkind IN ('v', 'm')",
        {"names": list(names)},
    )
    return tuple(View(QualifiedName.parse(names[str(row["name"])]), _KINDS[str(row["kind"])]) for row in rows)


def rebuilding(
    migration: Migration, origin: Origin, saved: QualifiedName, table: QualifiedName, views: Sequence[View]
) -> Rebuilding:
    """The statements; `views` are those that are there now."""
    columns = removed_columns(migration, origin)
    strict = [column for column in columns if column.not_null]
    first = [Act(f"DROP {view.kind} {view.name}", f"DROP {view.kind} {view.name.sql}") for view in views]
    if columns:
        first += [_add(table, columns), _fill(migration, columns, saved, table)]
    if maps_back(migration):
        first.append(_map_new(migration, columns, saved, table))
    later = [_drop(migration, table)] if migration.added else []
    if strict:
        later.append(_not_null(table, strict))
    later += [Act(definition.partition(" USING ")[0], definition) for definition in origin.indexes]
    later += [_view(name, definition, name in origin.materialized) for name, definition in origin.views]
    later += [Act(statement.partition(" IS ")[0], statement) for statement in origin.further]
    return Rebuilding(tuple(first), tuple(later))


def _add(table: QualifiedName, columns: Sequence[catalog.Column]) -> Act:
    added = ", ".join(
        f"ADD COLUMN {quote_identifier(column.name)} {column.type}"
        + (f" DEFAULT {column.default}" if column.default is not None else "")
        for column in columns
    )
    return Act(f"ALTER TABLE {table}: add {_named(columns)}", f"ALTER TABLE {table.sql} {added}")


def _fill(migration: Migration, columns: Sequence[catalog.Column], saved: QualifiedName, table: QualifiedName) -> Act:
    values = []
    for place, column in enumerate(columns):
        own = quote_identifier(column.name)
        value = f"saved.old{place}"
        if column.name == migration.mapping.source:
            value = (
                f"CASE WHEN NOT {touched(migration)} THEN {value} "
                f"WHEN {decided(migration)} THEN ({answer(migration)})::{column.type} ELSE present.{own} END"
            )
        values.append(f"{own} = {value}")
    key = quote_identifier(migration.key)
    return Act(
        f"UPDATE {table}: saved values back",
        f"UPDATE {table.sql} AS present SET {', '.join(values)} "  # noqa: S608
        f"FROM ({saved_rows(migration, saved)}) AS saved WHERE present.{key} = saved.key",
    )


def _map_new(
    migration: Migration, columns: Sequence[catalog.Column], saved: QualifiedName, table: QualifiedName
) -> Act:
    source = next(column for column in columns if column.name == migration.mapping.source)
    key = quote_identifier(migration.key)
    return Act(
        f"UPDATE {table}: rows written since, by the inverse table",
        f"UPDATE {table.sql} AS present SET {quote_identifier(source.name)} = "  # noqa: S608
        f"({answer(migration)})::{source.type} WHERE {decided(migration)} "
        f"AND NOT EXISTS (SELECT FROM {saved.sql} AS saved WHERE saved.{key} = present.{key})",
    )


def _drop(migration: Migration, table: QualifiedName) -> Act:
    dropped = ", ".join(f"DROP COLUMN {quote_identifier(name)}" for name in migration.added)
    return Act(f"ALTER TABLE {table}: drop {', '.join(migration.added)}", f"ALTER TABLE {table.sql} {dropped}")


def _not_null(table: QualifiedName, columns: Sequence[catalog.Column]) -> Act:
    strict = ", ".join(f"ALTER COLUMN {quote_identifier(column.name)} SET NOT NULL" for column in columns)
    return Act(f"ALTER TABLE {table}: NOT NULL for {_named(columns)}", f"ALTER TABLE {table.sql} {strict}")


def _view(name: str, definition: str, materialized: bool) -> Act:
    kind = _KINDS["m" if materialized else "v"]
    return Act(f"CREATE {kind} {name}", f"CREATE {kind} {QualifiedName.parse(name).sql} AS {definition}")


def _named(columns: Sequence[catalog.Column]) -> str:
    return ", ".join(column.name for column in columns)


def given(migration: Migration) -> str:
    """A SQL expression over `present`: what the mapped old column holds, once it is filled."""
    return f"present.{quote_identifier(migration.mapping.source)}"
