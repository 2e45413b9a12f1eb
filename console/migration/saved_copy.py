"""The saved copy: what the migration drops, by primary key, in a table of its own, made in the same transaction.

It holds the key, the columns that go, and the columns that the conditions of overrides and claims read. Its comment
is JSON (`Origin`): who made it, when, and what is needed to build again what goes: types, defaults, indexes, views, and
what belongs to them.
"""

import json
from dataclasses import asdict, dataclass

from console.domain.plan import Migration
from console.errors import StepFailed
from console.migration import catalog
from console.migration.mapping import condition_columns
from console.migration.names import QualifiedName, quote_identifier, quote_literal
from console.migration.reading import Reader, text_or_none, whole
from console.migration.surroundings import surroundings
from console.ports import Session

MADE_BY = "release-console"


@dataclass(frozen=True, slots=True)
class Origin:
    """Where a saved copy comes from, and how the columns that it holds were defined.

    `marker` is `rc/<run>/<step>`; `at` the server's time, ISO 8601; `transaction` the 64-bit transaction id.
    """

    migration: str
    marker: str
    at: str
    transaction: int
    table: str
    key: str
    columns: tuple[catalog.Column, ...]
    indexes: tuple[str, ...]
    views: tuple[tuple[str, str], ...]
    materialized: tuple[str, ...] = ()
    """Those of the views that are materialized."""
    further: tuple[str, ...] = ()
    """Statements for what goes with columns and views beside (`console.migration.surroundings`)."""

    def to_json(self) -> str:
        """The comment of the table."""
        return json.dumps({"made_by": MADE_BY, **asdict(self)}, ensure_ascii=False)

    @classmethod
    def from_json(cls, comment: str) -> "Origin | None":
        """Read a table's comment; None when the console did not write it."""
        try:
            data = json.loads(comment)
            if not isinstance(data, dict) or data.pop("made_by", None) != MADE_BY:
                return None
            data["columns"] = tuple(catalog.Column(**column) for column in data["columns"])
            for name in ("indexes", "materialized", "further"):
                data[name] = tuple(data.get(name, ()))
            data["views"] = tuple((name, definition) for name, definition in data["views"])
            return cls(**data)
        except (ValueError, TypeError, KeyError):
            return None


@dataclass(frozen=True, slots=True)
class OriginFacts:
    """What the transaction says of itself, for the copy's comment."""

    marker: str
    at: str
    transaction: int


@dataclass(frozen=True, slots=True)
class SavedCopy:
    """A copy that was made: its full name, its columns without the key, and its rows."""

    name: QualifiedName
    columns: tuple[str, ...]
    rows: int


def saved_columns(migration: Migration) -> tuple[str, ...]:
    """The columns to be saved beside the key: those that go, then those that conditions read. Raises ConfigError."""
    conditions = [rule.where for rule in migration.mapping.overrides] + [claim.where for claim in migration.claims]
    read = [column for where in conditions for column in condition_columns(where, migration.table)]
    wanted = dict.fromkeys([*migration.removed, migration.mapping.source, *read])
    return tuple(column for column in wanted if column != migration.key)


def copy_name(migration: Migration, table: QualifiedName) -> QualifiedName:
    """The copy's full name: in the table's schema unless the plan names one."""
    name = QualifiedName.parse(migration.saved_copy)
    return name if name.schema else QualifiedName(table.schema, name.name)


async def existing_origin(reader: Reader, name: QualifiedName) -> tuple[bool, Origin | None]:
    """Whether a relation of that name exists, and where it comes from when the console made it."""
    rows = await reader.fetch(
        "SELECT obj_description(oid, 'pg_class') AS comment FROM pg_class WHERE oid = to_regclass(%(name)s)",
        {"name": name.sql},
    )
    comment = text_or_none(rows[0]["comment"]) if rows else None
    return bool(rows), Origin.from_json(comment) if comment is not None else None


async def refuse_existing(reader: Reader, migration: Migration, name: QualifiedName) -> None:
    """Raise StepFailed when the name is taken: an older copy may be the only way back, so it is never replaced."""
    exists, origin = await existing_origin(reader, name)
    if not exists:
        return
    if origin is None:
        raise StepFailed(
            f"{name} already exists and the console did not make it.",
            production="Nothing was changed.",
            remedy=f"Give the saved copy another name in config.toml (saved_copy), or rename {name}.",
        )
    raise StepFailed(
        f"{name} is the saved copy of an earlier run of migration {origin.migration} ({origin.marker}, {origin.at}).",
        production=f"Nothing was changed; {name} holds what that run dropped.",
        remedy=f"If it is still needed: ALTER TABLE {name.sql} RENAME TO …; if it is not: DROP TABLE {name.sql}. "
        "Then retry.",
    )


async def make(session: Session, migration: Migration, table: QualifiedName, facts: OriginFacts) -> SavedCopy:
    """Make the copy inside the open transaction and prove that it is complete. Raises StepFailed, DatabaseError."""
    name = copy_name(migration, table)
    columns = saved_columns(migration)
    origin = await _origin(session, migration, table, columns, facts)
    key = quote_identifier(migration.key)
    listed = ", ".join([key, *map(quote_identifier, columns)])
    await session.execute(f"CREATE TABLE {name.sql} AS SELECT {listed} FROM {table.sql}")  # noqa: S608
    # The key must be one: a NULL or a double key would make the copy useless, and ends the transaction here.
    await session.execute(f"ALTER TABLE {name.sql} ADD PRIMARY KEY ({key})")
    await session.execute(f"COMMENT ON TABLE {name.sql} IS {quote_literal(origin.to_json())}")
    return SavedCopy(name, columns, await _complete(session, name, table))


async def _origin(
    reader: Reader, migration: Migration, table: QualifiedName, columns: tuple[str, ...], facts: OriginFacts
) -> Origin:
    definitions = {column.name: column for column in await catalog.table_columns(reader, table)}
    absent = [name for name in (migration.key, *columns) if name not in definitions]
    if absent:
        raise StepFailed(
            f"{table} has no column {', '.join(absent)}, which the migration is to drop or needs to read.",
            production="Nothing was changed.",
            remedy="Look whether the migration was already run by hand, and whether this is the right database.",
        )
    return Origin(
        migration=migration.version,
        marker=facts.marker,
        at=facts.at,
        transaction=facts.transaction,
        table=str(table),
        key=migration.key,
        columns=tuple(definitions[name] for name in columns),
        indexes=await catalog.index_definitions(reader, table, migration.removed),
        views=await view_definitions(reader, migration),
        materialized=await materialized_views(reader, migration),
        further=await surroundings(reader, migration, table),
    )


async def view_definitions(reader: Reader, migration: Migration) -> tuple[tuple[str, str], ...]:
    """The views that the plan names and that exist, each with its query."""
    names = {str(QualifiedName.parse(name)): QualifiedName.parse(name).sql for name in _plan_views(migration)}
    rows = await reader.fetch(
        "SELECT name, pg_get_viewdef(to_regclass(name)) AS definition FROM unnest(%(names)s::text[]) AS name "
        "JOIN pg_class ON oid = to_regclass(name) AND relkind IN ('v', 'm')",
        {"names": list(names.values())},
    )
    found = {str(row["name"]): str(row["definition"]) for row in rows}
    return tuple((name, found[sql]) for name, sql in names.items() if sql in found)


async def materialized_views(reader: Reader, migration: Migration) -> tuple[str, ...]:
    """Those of the plan's views that exist and are materialized."""
    names = {QualifiedName.parse(name).sql: str(QualifiedName.parse(name)) for name in _plan_views(migration)}
    rows = await reader.fetch(
        "SELECT name FROM unnest(%(names)s::text[]) AS name "
        "JOIN pg_class ON oid = to_regclass(name) AND relkind = 'm' ORDER BY name",
        {"names": list(names)},
    )
    return tuple(names[str(row["name"])] for row in rows)


def _plan_views(migration: Migration) -> tuple[str, ...]:
    return tuple(dict.fromkeys((*migration.views, *migration.dropped_views)))


async def _complete(reader: Reader, name: QualifiedName, table: QualifiedName) -> int:
    rows = await reader.fetch(
        f"SELECT (SELECT count(*) FROM {name.sql}) AS saved, (SELECT count(*) FROM {table.sql}) AS present"  # noqa: S608
    )
    saved, present = whole(rows[0]["saved"]), whole(rows[0]["present"])
    if saved != present:
        raise StepFailed(
            f"The saved copy holds {saved} rows and {table} {present}.",
            remedy="Look for a rule or a policy on the table that hides rows from this role.",
        )
    return saved
