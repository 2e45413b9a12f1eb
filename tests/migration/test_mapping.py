"""The mapping as SQL says the same as the mapping as Python, whatever the values."""

from collections.abc import Callable, Iterator

import psycopg
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from psycopg import sql

from console.domain.plan import MappingRule, Migration, OverrideRule, ValueMapping
from console.errors import ConfigError
from console.migration.mapping import (
    claim_counts,
    condition_columns,
    expected_expression,
    expected_value,
    transitions,
)
from console.migration.names import QualifiedName, quote_identifier, quote_literal
from tests.migration.postgres import LiveDatabase, Server

VALUES = st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]), max_size=12) | st.sampled_from(
    ["active", "it's", '"', "\\", "\\'", "%s", "%(a)s", "$$", "--", "E'\\n'", " active", "ACTIVE", ""]
)
RULES = st.lists(st.builds(MappingRule, VALUES, VALUES), max_size=5).map(tuple)
CONDITIONS: dict[str, Callable[[bool | None, bool], bool]] = {
    "first": lambda first, second: bool(first),
    "accounts.first -- a remark": lambda first, second: bool(first),
    "first IS NULL": lambda first, second: first is None,
    "first OR second": lambda first, second: bool(first or second),
}
OVERRIDES = st.lists(st.builds(OverrideRule, st.sampled_from(list(CONDITIONS)), VALUES), max_size=3).map(tuple)
MAPPINGS = st.builds(
    ValueMapping,
    source=st.just('odd "name"'),
    target=st.just("account_status"),
    rules=RULES,
    overrides=OVERRIDES,
    otherwise=VALUES,
    domain=st.just(("x",)),
)
Row = tuple[str | None, bool | None, bool]
ROWS = st.lists(st.tuples(st.none() | VALUES, st.none() | st.booleans(), st.booleans()), min_size=1, max_size=8)


@pytest.fixture(scope="module")
def link(server: Server) -> Iterator[psycopg.Connection]:
    with psycopg.connect(server.url("postgres"), autocommit=True) as link:
        yield link


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(mapping=MAPPINGS, rows=ROWS)
def test_sql_and_python_agree(
    link: psycopg.Connection, mapping: ValueMapping, rows: list[tuple[str | None, bool | None, bool]]
) -> None:
    literals = ", ".join(
        f"({number}, {'NULL' if old is None else quote_literal(old)}, {_boolean(first)}, {_boolean(second)})"
        for number, (old, first, second) in enumerate(rows)
    )
    query = (
        f"SELECT {expected_expression(mapping)} FROM (VALUES {literals}) "
        f"AS accounts(number, {quote_identifier(mapping.source)}, first, second) ORDER BY number"
    )
    got = [row[0] for row in link.execute(sql.SQL(query)).fetchall()]
    want = [
        expected_value(mapping, old, [CONDITIONS[rule.where](first, second) for rule in mapping.overrides])
        for old, first, second in rows
    ]
    assert got == want


@settings(max_examples=100, deadline=None)
@given(text=VALUES)
@pytest.mark.parametrize("conforming", ["on", "off"])
def test_a_literal_is_the_text_whatever_the_server_thinks_of_backslashes(
    link: psycopg.Connection, conforming: str, text: str
) -> None:
    link.execute(sql.SQL("SET standard_conforming_strings = {}").format(conforming))
    row = link.execute(sql.SQL(f"SELECT {quote_literal(text)}::text AS {quote_identifier(text or 'empty')}")).fetchone()
    assert row == (text,)


@pytest.mark.parametrize("name", ["", "a\0b"])
def test_impossible_names_and_texts_are_refused(name: str) -> None:
    with pytest.raises(ValueError, match="not a possible name"):
        quote_identifier(name)
    with pytest.raises(ValueError, match="NUL"):
        quote_literal("a\0b")


@pytest.mark.parametrize(
    ("condition", "columns"),
    [
        ("deleted_at IS NOT NULL", ("deleted_at",)),
        ("is_trial", ("is_trial",)),
        ("accounts.is_trial AND (employees > 5 OR is_trial)", ("is_trial", "employees")),
        ("name ~ 'x' -- and why", ("name",)),
        ("true", ()),
    ],
)
def test_the_columns_of_a_condition(condition: str, columns: tuple[str, ...]) -> None:
    assert condition_columns(condition, "public.accounts") == columns


@pytest.mark.parametrize(
    "condition",
    [
        "",
        "is_trial AND",
        "is_trial; DROP TABLE accounts",
        "true) UNION SELECT FROM u WHERE (true",
        "true) GROUP BY (a",
        "id IN (SELECT account_id FROM leads)",
        "leads.id = 1",
        "a.b.is_trial",
    ],
)
def test_a_condition_that_is_not_about_one_row_is_refused(condition: str) -> None:
    with pytest.raises(ConfigError):
        condition_columns(condition, "accounts")


async def test_the_forecast_of_the_preview_is_the_outcome(
    untouched_database: LiveDatabase, migration: Migration
) -> None:
    accounts = QualifiedName("public", "accounts")
    forecast = await transitions(untouched_database, migration, accounts)
    assert sum(item.rows for item in forecast) == 449
    assert {item.new for item in forecast if item.old is None} == {"active", "cancelled"}
    counted = await untouched_database.value(
        "SELECT count(*) FROM accounts WHERE is_trial AND (deleted_at IS NOT NULL OR license_status <> 'pending' "
        "OR license_status IS NULL)"
    )
    assert (await claim_counts(untouched_database, migration, accounts))[1].rows == counted


def _boolean(value: object) -> str:
    return "NULL::boolean" if value is None else str(value)
