"""The saved copy after the way back: kept under another name, with the word of who used it, when, and what was left.

Its comment is JSON (`Kept`): where the copy comes from (`Origin`), and what became of it. It changes its name and its
comment in the transaction that brought the schema back, so whoever finds it knows that the way back was committed, and
a later run of the migration finds the copy's old name free.
"""

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass

from console.domain.plan import Json, Migration
from console.errors import ConsoleError, DatabaseError, OutcomeUnknown, StepFailed
from console.migration import transaction
from console.migration.names import QualifiedName, quote_identifier, quote_literal
from console.migration.reading import Reader, text_or_none, whole
from console.migration.saved_copy import MADE_BY, Origin
from console.ports import Session

KEPT_OPENING = f'{{"made_by": "{MADE_BY}", "origin": '
"""How the comment of a copy that was used begins."""

_LONGEST_NAME = 63


@dataclass(frozen=True, slots=True)
class Reverted:
    """Who brought the schema back with a copy, when (the server's time, ISO 8601), and what it could not decide.

    `history` is the row that was taken out of the application's history table; `undecided` holds every row that a
    person has to look at (`console.migration.inverse.Undecided.data`).
    """

    marker: str
    role: str
    at: str
    transaction: int
    rows_rebuilt: int
    rows_mapped: int
    history: Mapping[str, Json]
    undecided: tuple[Mapping[str, Json], ...]


@dataclass(frozen=True, slots=True)
class Kept:
    """A copy of ours as it is found: before it was used `reverted` is None."""

    name: QualifiedName
    origin: Origin
    reverted: Reverted | None


def comment_of(origin: Origin, reverted: Reverted) -> str:
    """The comment of a copy that was used."""
    data = {"made_by": MADE_BY, "origin": json.loads(origin.to_json()), "reverted": asdict(reverted)}
    return json.dumps(data, ensure_ascii=False)


def kept_from_comment(name: QualifiedName, comment: str) -> Kept | None:
    """Read a table's comment; None when the console did not write it."""
    try:
        data = json.loads(comment)
        if not isinstance(data, dict) or data.get("made_by") != MADE_BY:
            return None
        if "reverted" not in data:
            origin = Origin.from_json(comment)
            return Kept(name, origin, None) if origin is not None else None
        origin = Origin.from_json(json.dumps(data["origin"]))
        reverted = Reverted(**{**data["reverted"], "undecided": tuple(data["reverted"]["undecided"])})
        return Kept(name, origin, reverted) if origin is not None else None
    except (ValueError, TypeError, KeyError):
        return None


async def kept_copies(reader: Reader, migration: Migration, saved: QualifiedName) -> tuple[Kept, ...]:
    """The copies of this migration that were used already, oldest first; `saved` says in which schema to look."""
    rows = await reader.fetch(
        "SELECT relname AS name, obj_description(c.oid, 'pg_class') AS comment FROM pg_class c "
        "JOIN pg_namespace n ON n.oid = relnamespace WHERE nspname = %(schema)s AND relkind = 'r' "
        "AND strpos(obj_description(c.oid, 'pg_class'), %(made_by)s) > 0 ORDER BY c.oid",
        {"schema": saved.schema, "made_by": MADE_BY},
    )
    found = (kept_from_comment(QualifiedName(saved.schema, str(row["name"])), str(row["comment"])) for row in rows)
    return tuple(
        k for k in found if k is not None and k.reverted is not None and k.origin.migration == migration.version
    )


async def find_kept(reader: Reader, name: QualifiedName) -> Kept | None:
    """The copy of ours with this name; None when there is none, or it is not ours."""
    rows = await reader.fetch(
        "SELECT obj_description(oid, 'pg_class') AS comment FROM pg_class WHERE oid = to_regclass(%(name)s)",
        {"name": name.sql},
    )
    comment = text_or_none(rows[0]["comment"]) if rows else None
    return kept_from_comment(name, comment) if comment is not None else None


async def free_name(reader: Reader, saved: QualifiedName) -> QualifiedName:
    """`<copy>_reverted_<n>` with the first number that no relation of the schema has."""
    number = 1
    while True:
        name = QualifiedName(saved.schema, _fitting(saved.name, f"_reverted_{number}"))
        if not (await reader.fetch("SELECT 1 AS found WHERE to_regclass(%(name)s) IS NOT NULL", {"name": name.sql})):
            return name
        number += 1


async def put_aside(session: Session, saved: QualifiedName, kept: QualifiedName, comment: str) -> None:
    """Give the copy and its key's index their new names, and the copy its comment. Raises DatabaseError."""
    indexes = await session.fetch(
        "SELECT relname AS name FROM pg_index JOIN pg_class ON pg_class.oid = indexrelid "
        "WHERE indrelid = to_regclass(%(name)s) AND indisprimary",
        {"name": saved.sql},
    )
    await session.execute(f"ALTER TABLE {saved.sql} RENAME TO {quote_identifier(kept.name)}")
    for row in indexes:
        index = QualifiedName(saved.schema, str(row["name"]))
        key = quote_identifier(_fitting(kept.name, "_pkey"))
        await session.execute(f"ALTER INDEX {index.sql} RENAME TO {key}")
    await session.execute(f"COMMENT ON TABLE {kept.sql} IS {quote_literal(comment)}")


def _fitting(name: str, ending: str) -> str:
    """A name with an ending, cut before it so that PostgreSQL keeps the whole of it."""
    return name.encode()[: _LONGEST_NAME - len(ending)].decode(errors="ignore") + ending


async def discard(session: Session, migration: Migration, kept: Kept) -> None:
    """Drop a copy, if it still is the one that was found. Raises StepFailed (OutcomeUnknown), DatabaseError."""
    await session.execute("BEGIN ISOLATION LEVEL READ COMMITTED READ WRITE")
    try:
        await transaction.set_limits(session, migration)
        await session.execute(f"LOCK TABLE {kept.name.sql} IN ACCESS EXCLUSIVE MODE")
        if await find_kept(session, kept.name) != kept:
            raise StepFailed(f"{kept.name} is not the copy any more that was shown.", remedy="Look at it again.")
        await session.execute(f"DROP TABLE {kept.name.sql}")
        rows = await session.fetch("SELECT pg_current_xact_id()::text AS id")
        await transaction.commit(session, whole(rows[0]["id"]), f"{kept.name} is still there.")
    except ConsoleError as error:
        if not isinstance(error, OutcomeUnknown):
            await _roll_back(session, error)
        raise


async def _roll_back(session: Session, error: ConsoleError) -> None:
    """End the transaction; a session that is gone has ended it by itself, which the error then says."""
    try:
        await session.execute("ROLLBACK")
        error.production = error.production or "Nothing was changed: the copy is still there."
    except DatabaseError as lost:
        error.production = f"Nothing was committed: the connection was lost ({lost.message}); the copy is still there."
