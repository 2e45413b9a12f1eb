"""The way back of the mapped column: what each row of the migrated table gets, as queries, and counted.

A row that the saved copy knows and whose new value is still the one that the mapping gave takes its saved values back.
A row that was changed or written since gets what the plan's inverse has for its new value. Where the inverse has
nothing, or two answers, the row is undecided: it gets the column's default, and is listed for a person.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from console.domain.plan import Json, Migration
from console.migration.mapping import expected_expression
from console.migration.names import QualifiedName, quote_identifier, quote_literal
from console.migration.reading import Reader, text_or_none, whole


@dataclass(frozen=True, slots=True)
class Group:
    """Rows written since with one value: `new` ones, or ones that the copy knows with another value.

    `becomes` is the inverse's answer; None, and not `decided`, where it has none.
    """

    value: str | None
    new: bool
    rows: int
    becomes: str | None
    decided: bool


@dataclass(frozen=True, slots=True)
class Undecided:
    """A row that the inverse cannot decide: its key, its new value, and what the old column is given instead."""

    key: str
    value: str | None
    given: str | None
    new: bool

    def data(self) -> dict[str, Json]:
        """As plain JSON, for the evidence and for the comment of the kept copy."""
        return {"key": self.key, "value": self.value, "given": self.given, "new": self.new}


@dataclass(frozen=True, slots=True)
class RowsBack:
    """The rows of the table by what becomes of them.

    `unchanged` take their saved values back. `groups` were changed or written since. `deleted` are in the copy and
    were deleted since; they stay deleted.
    """

    unchanged: int
    groups: tuple[Group, ...]
    deleted: int

    @property
    def changed(self) -> int:
        """Rows that the copy knows, with another value now."""
        return sum(group.rows for group in self.groups if not group.new)

    @property
    def written(self) -> int:
        """Rows that the copy does not know."""
        return sum(group.rows for group in self.groups if group.new)

    @property
    def mapped(self) -> int:
        """Rows that get the inverse's answer."""
        return sum(group.rows for group in self.groups if group.decided)

    @property
    def undecided(self) -> int:
        """Rows that the inverse cannot decide."""
        return sum(group.rows for group in self.groups if not group.decided)


def maps_back(migration: Migration) -> bool:
    """Whether the mapped old column is among those that went, so that it has to be filled again."""
    return migration.mapping.source in migration.removed


def decisions(migration: Migration) -> Mapping[str, str]:
    """The old value for each new one that the inverse decides; a value with two different answers is not decided."""
    answers: dict[str, set[str]] = {}
    for rule in migration.inverse:
        answers.setdefault(rule.value, set()).add(rule.becomes)
    return {value: found.pop() for value, found in answers.items() if len(found) == 1}


def saved_rows(migration: Migration, saved: QualifiedName) -> str:
    """A query of the copy: `key`, `new` (what the mapping made of the row), and `old0` … for the columns that went."""
    alias = quote_identifier(QualifiedName.parse(migration.table).name)
    columns = ", ".join(f"{quote_identifier(name)} AS old{place}" for place, name in enumerate(migration.removed))
    return (
        f"SELECT {quote_identifier(migration.key)} AS key, {expected_expression(migration.mapping)} AS new, "  # noqa: S608
        f"{columns} FROM {saved.sql} AS {alias}"
    )


def touched(migration: Migration) -> str:
    """A SQL condition over `present` and `saved` (left joined): the row was changed or written since."""
    return f"({found(migration)} IS DISTINCT FROM saved.new)"


def found(migration: Migration) -> str:
    """The new column's value of the row `present`, as text."""
    return f"present.{quote_identifier(migration.mapping.target)}::text"


def decided(migration: Migration) -> str:
    """A SQL condition over `present`: the inverse has one answer for the row's value. Never NULL."""
    values = ", ".join(quote_literal(value) for value in decisions(migration))
    return f"coalesce({found(migration)} IN ({values}), false)" if values else "false"


def answer(migration: Migration) -> str:
    """The inverse as a SQL expression of text over `present`; NULL where it does not decide."""
    cases = " ".join(f"WHEN {quote_literal(v)} THEN {quote_literal(old)}" for v, old in decisions(migration).items())
    return f"CASE {found(migration)} {cases} END::text" if cases else "NULL::text"


def joined(migration: Migration, saved: QualifiedName, table: QualifiedName) -> str:
    """The rows of the table as `present`, each with what the copy knows of it as `saved` (else NULL): a FROM list."""
    key = quote_identifier(migration.key)
    return f"{table.sql} AS present LEFT JOIN ({saved_rows(migration, saved)}) AS saved ON saved.key = present.{key}"


async def rows_back(reader: Reader, migration: Migration, saved: QualifiedName, table: QualifiedName) -> RowsBack:
    """Count the rows by what becomes of them. Raises DatabaseError."""
    everything, since = joined(migration, saved, table), touched(migration)
    key = quote_identifier(migration.key)
    counted = (
        await reader.fetch(
            f"SELECT (SELECT count(*) FROM {everything} WHERE saved.key IS NOT NULL AND NOT {since}) AS unchanged, "  # noqa: S608
            f"(SELECT count(*) FROM {saved.sql} AS gone WHERE NOT EXISTS "
            f"(SELECT FROM {table.sql} AS present WHERE present.{key} = gone.{key})) AS deleted"
        )
    )[0]
    rows = await reader.fetch(
        f"SELECT {found(migration)} AS value, saved.key IS NULL AS new, count(*) AS rows FROM {everything} "  # noqa: S608
        f"WHERE saved.key IS NULL OR {since} GROUP BY 1, 2 ORDER BY 3 DESC, 1, 2"
    )
    answers = decisions(migration) if maps_back(migration) else None
    groups = tuple(_group(text_or_none(row["value"]), bool(row["new"]), whole(row["rows"]), answers) for row in rows)
    return RowsBack(whole(counted["unchanged"]), groups, whole(counted["deleted"]))


def _group(value: str | None, new: bool, rows: int, answers: Mapping[str, str] | None) -> Group:
    if answers is None:
        # The old column never went: there is nothing to be decided.
        return Group(value, new, rows, None, decided=True)
    becomes = answers.get(value) if value is not None else None
    return Group(value, new, rows, becomes, decided=becomes is not None)


async def undecided_rows(
    reader: Reader, migration: Migration, saved: QualifiedName, table: QualifiedName, given: str, *, limit: int = 0
) -> tuple[Undecided, ...]:
    """The rows that the inverse cannot decide, in the order of their keys; all of them without a `limit`.

    `given` is a SQL expression over `present`: what the old column gets, or has got. Raises DatabaseError.
    """
    if not maps_back(migration):
        return ()
    key, most = quote_identifier(migration.key), f" LIMIT {limit:d}" if limit else ""
    rows = await reader.fetch(
        f"SELECT present.{key}::text AS key, {found(migration)} AS value, ({given})::text AS given, "  # noqa: S608
        f"saved.key IS NULL AS new FROM {joined(migration, saved, table)} "
        f"WHERE (saved.key IS NULL OR {touched(migration)}) AND NOT {decided(migration)} ORDER BY present.{key}{most}"
    )
    return tuple(
        Undecided(str(row["key"]), text_or_none(row["value"]), text_or_none(row["given"]), bool(row["new"]))
        for row in rows
    )
