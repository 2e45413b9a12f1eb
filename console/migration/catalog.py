"""What the catalog says about the migrated table: its full name, its columns, views, indexes, counters, history row.

Everything here reads the catalog or counts; nothing changes anything. Names are resolved once and used in full
afterwards, so a migration that changes the search path cannot mislead what follows.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from console.domain.plan import Migration
from console.errors import StepFailed
from console.migration.names import QualifiedName, quote_identifier, quote_literal
from console.migration.reading import Reader, text_or_none, whole
from console.ports import Row


@dataclass(frozen=True, slots=True)
class Column:
    """A column as it can be built again: its type (with its collation), default expression, whether it refuses NULL."""

    name: str
    type: str
    default: str | None
    not_null: bool


@dataclass(frozen=True, slots=True)
class ColumnsState:
    """Of the columns that go: which are still there, which are gone; of the new ones: which are missing."""

    still_there: tuple[str, ...]
    gone: tuple[str, ...]
    missing: tuple[str, ...]
    present: tuple[str, ...]

    @property
    def migrated(self) -> bool:
        """Whether the columns are as after the migration."""
        return not self.still_there and not self.missing

    @property
    def untouched(self) -> bool:
        """Whether the columns are as before the migration."""
        return not self.gone and not self.present


@dataclass(frozen=True, slots=True)
class ViewsState:
    """Which of the wanted views are missing, and which of those that go are still there."""

    missing: tuple[str, ...]
    still_there: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class IndexState:
    """An index that the migration creates: whether it is there and usable."""

    name: str
    present: bool
    valid: bool


@dataclass(frozen=True, slots=True)
class Counters:
    """The table's cumulative counters of inserts, updates and deletes (`pg_stat_user_tables`)."""

    inserted: int
    updated: int
    deleted: int


async def resolve(reader: Reader, table: str) -> QualifiedName | None:
    """The full name of a table or view; None when there is none."""
    rows = await reader.fetch(
        "SELECT nspname AS schema, relname AS name FROM pg_class JOIN pg_namespace n ON n.oid = relnamespace "
        "WHERE pg_class.oid = to_regclass(%(name)s)",
        {"name": QualifiedName.parse(table).sql},
    )
    return QualifiedName(str(rows[0]["schema"]), str(rows[0]["name"])) if rows else None


async def resolve_table(reader: Reader, table: str) -> QualifiedName:
    """The full name of a table that must exist. Raises StepFailed."""
    name = await resolve(reader, table)
    if name is None:
        raise StepFailed(
            f"The table {table} does not exist in this database (or the role cannot see its schema).",
            production="Nothing was changed.",
            remedy="Check that this is the right database, and the table's name in config.toml.",
        )
    return name


async def table_columns(reader: Reader, table: QualifiedName) -> tuple[Column, ...]:
    """The columns of a table, in order."""
    rows = await reader.fetch(
        "SELECT attname AS name, attnotnull AS not_null, pg_get_expr(adbin, adrelid) AS default, "
        "format_type(atttypid, atttypmod) || coalesce(' COLLATE ' || other.name, '') AS type FROM pg_attribute "
        "LEFT JOIN pg_attrdef ON adrelid = attrelid AND adnum = attnum "
        "LEFT JOIN LATERAL (SELECT attcollation::regcollation::text AS name FROM pg_type WHERE pg_type.oid = atttypid "
        "AND attcollation NOT IN (0, typcollation)) AS other ON true "
        "WHERE attrelid = to_regclass(%(name)s) AND attnum > 0 AND NOT attisdropped ORDER BY attnum",
        {"name": table.sql},
    )
    return tuple(
        Column(str(row["name"]), str(row["type"]), text_or_none(row["default"]), bool(row["not_null"])) for row in rows
    )


async def columns_state(reader: Reader, migration: Migration, table: QualifiedName) -> ColumnsState:
    """How far the table's columns are from what the migration promises.

    It waits for no lock, so that a probe can look while a migration holds the table: defaults, which it would need one
    for, are not read.
    """
    rows = await reader.fetch(
        "SELECT attname AS name FROM pg_attribute WHERE attrelid = to_regclass(%(name)s) AND attnum > 0 "
        "AND NOT attisdropped",
        {"name": table.sql},
    )
    present = {str(row["name"]) for row in rows}
    return ColumnsState(
        still_there=tuple(name for name in migration.removed if name in present),
        gone=tuple(name for name in migration.removed if name not in present),
        missing=tuple(name for name in migration.added if name not in present),
        present=tuple(name for name in migration.added if name in present),
    )


async def views_state(reader: Reader, migration: Migration) -> ViewsState:
    """Whether the views are as the plan wants them."""
    rows = await reader.fetch(
        "SELECT name FROM unnest(%(names)s::text[]) AS name "
        "JOIN pg_class ON pg_class.oid = to_regclass(name) AND relkind IN ('v', 'm')",
        {"names": [QualifiedName.parse(name).sql for name in (*migration.views, *migration.dropped_views)]},
    )
    present = {str(row["name"]) for row in rows}
    return ViewsState(
        missing=tuple(name for name in migration.views if QualifiedName.parse(name).sql not in present),
        still_there=tuple(name for name in migration.dropped_views if QualifiedName.parse(name).sql in present),
    )


async def index_states(reader: Reader, table: QualifiedName, names: Sequence[str]) -> tuple[IndexState, ...]:
    """Whether each index is on the table, and valid and ready."""
    rows = await reader.fetch(
        "SELECT c.relname AS name, indisvalid AND indisready AS valid FROM pg_index "
        "JOIN pg_class c ON c.oid = indexrelid WHERE indrelid = to_regclass(%(table)s)",
        {"table": table.sql},
    )
    valid = {str(row["name"]): bool(row["valid"]) for row in rows}
    plain = (QualifiedName.parse(name).name for name in names)
    return tuple(IndexState(name, name in valid, valid.get(name, False)) for name in plain)


async def index_definitions(reader: Reader, table: QualifiedName, columns: Sequence[str]) -> tuple[str, ...]:
    """The definitions of the indexes that use any of the columns, also in an expression or a condition.

    Those that stand for a constraint are left out: they come and go with it.
    """
    rows = await reader.fetch(
        "SELECT DISTINCT pg_get_indexdef(indexrelid) AS definition FROM pg_index "
        "JOIN pg_depend ON classid = 'pg_class'::regclass AND objid = indexrelid AND refobjid = indrelid "
        "JOIN pg_attribute ON attrelid = refobjid AND attnum = refobjsubid "
        "WHERE indrelid = to_regclass(%(table)s) AND attname = ANY (%(columns)s::text[]) ORDER BY 1",
        {"table": table.sql, "columns": list(columns)},
    )
    return tuple(str(row["definition"]) for row in rows)


async def require_key(reader: Reader, table: QualifiedName, key: str) -> None:
    """Raise StepFailed unless `key` alone tells the rows of the table apart: unique, never NULL, without exceptions."""
    rows = await reader.fetch(
        "SELECT 1 AS found FROM pg_index JOIN pg_attribute ON attrelid = indrelid AND attnum = indkey[0] "
        "WHERE indrelid = to_regclass(%(table)s) AND attname = %(key)s AND attnotnull AND indnkeyatts = 1 "
        "AND indisunique AND indisvalid AND indpred IS NULL",
        {"table": table.sql, "key": key},
    )
    if not rows:
        raise StepFailed(
            f"{key} is not a key of {table}: there is no unique index on it alone, or it may be NULL.",
            production="Nothing was changed.",
            remedy="Name the table's primary key in config.toml (key): rows are saved and compared by it.",
        )


async def counters(reader: Reader, table: QualifiedName) -> Counters:
    """The counters as they stand; zero where statistics are not collected."""
    rows = await reader.fetch(
        "SELECT n_tup_ins AS inserted, n_tup_upd AS updated, n_tup_del AS deleted FROM pg_stat_all_tables "
        "WHERE relid = to_regclass(%(table)s)",
        {"table": table.sql},
    )
    row: Row = rows[0] if rows else {"inserted": 0, "updated": 0, "deleted": 0}
    return Counters(whole(row["inserted"]), whole(row["updated"]), whole(row["deleted"]))


async def value_counts(reader: Reader, table: QualifiedName, column: str) -> tuple[tuple[str | None, int], ...]:
    """How many rows hold each value of a column (None: NULL), most rows first."""
    rows = await reader.fetch(
        f"SELECT {quote_identifier(column)}::text AS value, count(*) AS rows FROM {table.sql} "  # noqa: S608
        "GROUP BY 1 ORDER BY 2 DESC, 1"
    )
    return tuple((text_or_none(row["value"]), whole(row["rows"])) for row in rows)


async def history_row(reader: Reader, migration: Migration, table: QualifiedName | None = None) -> Row | None:
    """The history table's row for this migration; None when there is none. Raises StepFailed without the table."""
    table = table or await resolve_table(reader, migration.history.table)
    # An untyped literal takes the column's type: '020' finds the number 20 as well as the text.
    rows = await reader.fetch(
        f"SELECT * FROM {table.sql} WHERE {quote_identifier(migration.history.version_column)} = "  # noqa: S608
        f"{quote_literal(migration.version)}"
    )
    return rows[0] if rows else None
