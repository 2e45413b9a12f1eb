"""How the new column follows from the old one, as SQL and as plain Python, and the queries that hold rows against it.

Overrides come first, in their order, then the rules for the old value, else `otherwise`. Values are compared and
shown as text. The queries read the old columns from `source`: the table itself before the migration, the saved
copy afterwards; the conditions of overrides and claims see it under the table's own name.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from console.domain.plan import Migration, ValueMapping
from console.errors import ConfigError
from console.migration.names import QualifiedName, quote_identifier, quote_literal
from console.migration.reading import Reader, text_or_none, whole


@dataclass(frozen=True, slots=True)
class Transition:
    """How many rows go from an old value (None: NULL) to a new one."""

    old: str | None
    new: str | None
    rows: int


@dataclass(frozen=True, slots=True)
class ClaimCount:
    """How many rows a claim promised `promised` that get another value; their values are in `instead`."""

    title: str
    promised: str
    rows: int
    instead: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Difference:
    """A row that is not as the mapping has it.

    `kind`: `different` (the value), `missing` (saved, but not in the table any more), `unknown` (in the table, but
    never saved: the migration itself inserted it).
    """

    key: str
    old: str | None
    expected: str | None
    found: str | None
    kind: str

    def __str__(self) -> str:
        if self.kind == "missing":
            return f"key {self.key}: was {_shown(self.old)}, and the row is gone"
        if self.kind == "unknown":
            return f"key {self.key}: a row that was not there before, with {_shown(self.found)}"
        return f"key {self.key}: was {_shown(self.old)}, expected {_shown(self.expected)}, found {_shown(self.found)}"


@dataclass(frozen=True, slots=True)
class Differences:
    """The first differing rows in the order of their keys, and how many there are in all."""

    total: int
    rows: tuple[Difference, ...]


def expected_value(mapping: ValueMapping, old: str | None, holds: Sequence[bool]) -> str:
    """The new value of a row; `holds` says for each override whether its condition is true of the row."""
    for override, true in zip(mapping.overrides, holds, strict=True):
        if true:
            return override.becomes
    return next((rule.becomes for rule in mapping.rules if rule.value == old), mapping.otherwise)


def expected_expression(mapping: ValueMapping) -> str:
    """The mapping as a SQL expression over the old columns."""
    old = f"{quote_identifier(mapping.source)}::text"
    # A condition stands on lines of its own: a comment at its end must not swallow the rest.
    cases = [f"WHEN (\n{rule.where}\n) THEN {quote_literal(rule.becomes)}" for rule in mapping.overrides]
    cases += [f"WHEN {old} = {quote_literal(rule.value)} THEN {quote_literal(rule.becomes)}" for rule in mapping.rules]
    otherwise = f"{quote_literal(mapping.otherwise)}::text"
    return f"CASE {' '.join(cases)} ELSE {otherwise} END" if cases else otherwise


def condition_columns(condition: str, table: str) -> tuple[str, ...]:
    """The columns that a condition reads. Raises ConfigError unless it is one about a single row of `table`."""
    from console.migration import grammar

    try:
        parsed = list(grammar.statements(f"SELECT FROM t WHERE (\n{condition}\n)"))
    except grammar.PgQueryError as error:
        raise ConfigError([f"the condition {condition!r} does not parse: {error}."]) from error
    select = parsed[0].node.select_stmt
    plain = len(parsed) == 1 and not (select.group_clause or select.sort_clause or select.having_clause.ByteSize())
    if not plain or select.op != grammar.pb.SETOP_NONE or len(grammar.relations(parsed[0].node)) != 1:
        raise ConfigError([f"the condition {condition!r} must be about the columns of one row of {table}."])
    return tuple(dict.fromkeys(_own_column(parts, condition, table) for parts in grammar.columns(parsed[0].node)))


def _own_column(parts: tuple[str, ...], condition: str, table: str) -> str:
    *owner, column = parts
    if column == "*" or owner not in ([], [QualifiedName.parse(table).name]):
        raise ConfigError([f"the condition {condition!r} names {'.'.join(parts)}, which is no column of {table}."])
    return column


async def differences(
    reader: Reader, migration: Migration, saved: QualifiedName, table: QualifiedName, *, limit: int = 20
) -> Differences:
    """Every row of the table against the saved copy, by key; `limit` rows are shown, all are counted."""
    rows = await reader.fetch(_differences_query(migration, saved, table, limit))
    shown = tuple(
        Difference(
            key=str(row["key"]),
            old=text_or_none(row["old"]),
            expected=text_or_none(row["expected"]),
            found=text_or_none(row["found"]),
            kind=str(row["kind"]),
        )
        for row in rows
    )
    return Differences(whole(rows[0]["total"]) if rows else 0, shown)


async def transitions(reader: Reader, migration: Migration, source: QualifiedName) -> tuple[Transition, ...]:
    """What the mapping makes of the rows of `source`, counted, most rows first."""
    rows = await reader.fetch(
        f"SELECT old, new, count(*) AS rows FROM ({expected_rows(migration, source)}) AS mapped "  # noqa: S608
        "GROUP BY old, new ORDER BY count(*) DESC, old, new"
    )
    return tuple(Transition(text_or_none(row["old"]), text_or_none(row["new"]), whole(row["rows"])) for row in rows)


def old_counts(moved: Sequence[Transition]) -> tuple[tuple[str | None, int], ...]:
    """How many rows held each old value, most rows first."""
    counts: dict[str | None, int] = {}
    for item in moved:
        counts[item.old] = counts.get(item.old, 0) + item.rows
    return tuple(sorted(counts.items(), key=lambda entry: -entry[1]))


async def claim_counts(reader: Reader, migration: Migration, source: QualifiedName) -> tuple[ClaimCount, ...]:
    """For each claim of the plan: the rows of `source` that the mapping gives another value than promised."""
    return tuple([await _claim_count(reader, migration, source, index) for index in range(len(migration.claims))])


async def _claim_count(reader: Reader, migration: Migration, source: QualifiedName, index: int) -> ClaimCount:
    claim = migration.claims[index]
    alias = quote_identifier(QualifiedName.parse(migration.table).name)
    expected = expected_expression(migration.mapping)
    rows = await reader.fetch(
        f"SELECT {expected} AS instead, count(*) AS rows FROM {source.sql} AS {alias} "  # noqa: S608
        f"WHERE (\n{claim.where}\n) AND {expected} IS DISTINCT FROM {quote_literal(claim.promised)} "
        "GROUP BY 1 ORDER BY 2 DESC, 1"
    )
    total = sum(whole(row["rows"]) for row in rows)
    return ClaimCount(claim.title, claim.promised, total, tuple(str(row["instead"]) for row in rows))


def expected_rows(migration: Migration, source: QualifiedName) -> str:
    """A query of `key`, `old` and `new` for every row of `source`."""
    alias = quote_identifier(QualifiedName.parse(migration.table).name)
    return (
        f"SELECT {quote_identifier(migration.key)} AS key, "  # noqa: S608
        f"{quote_identifier(migration.mapping.source)}::text AS old, "
        f"{expected_expression(migration.mapping)} AS new FROM {source.sql} AS {alias}"
    )


def _differences_query(migration: Migration, saved: QualifiedName, table: QualifiedName, limit: int) -> str:
    key = f"present.{quote_identifier(migration.key)}"
    found = f"present.{quote_identifier(migration.mapping.target)}::text"
    return (
        f"SELECT coalesce(saved.key, {key})::text AS key, saved.old, saved.new AS expected, {found} AS found, "  # noqa: S608
        f"CASE WHEN {key} IS NULL THEN 'missing' WHEN saved.key IS NULL THEN 'unknown' ELSE 'different' END AS kind, "
        "count(*) OVER () AS total "
        f"FROM ({expected_rows(migration, saved)}) AS saved FULL JOIN {table.sql} AS present ON {key} = saved.key "
        f"WHERE {key} IS NULL OR saved.key IS NULL OR {found} IS DISTINCT FROM saved.new "
        f"ORDER BY coalesce(saved.key, {key}) LIMIT {limit:d}"
    )


def _shown(value: str | None) -> str:
    return "NULL" if value is None else repr(value)
