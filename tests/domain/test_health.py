"""What a log line says about the application's health."""

from datetime import UTC, datetime

import pytest

from console.domain.health import LogClass, classify
from console.domain.hosting import LogEntry


def entry(text: str, *, kind: str = "app", level: str = "info", status: str = "") -> LogEntry:
    labels = {"statusCode": status} if status else {}
    return LogEntry("1", datetime(2026, 1, 1, tzinfo=UTC), "srv-1", text, kind=kind, level=level, labels=labels)


@pytest.mark.parametrize(
    "text",
    [
        "error: column \"license_status\" does not exist code: '42703'",
        "  code: '42P01',",
        "ERROR:  42883: operator does not exist: integer = text",
        "SQLSTATE[42804]: Datatype mismatch",
        "sqlstate=0A000",
        "error: cached plan must not change result type",
        'ERROR: record "new" has no field "license_status"',
        "column a.license_status does not exist",
        'relation "active_accounts" does not exist',
        "PostgresError { severity: 'ERROR', code: '42703' }",
    ],
)
def test_schema_errors(text: str) -> None:
    assert classify(entry(text)) is LogClass.SCHEMA_ERROR


@pytest.mark.parametrize(
    "text",
    [
        "GET /api/accounts took 42703 ms",
        "imported 42883 rows",
        "account 42804 updated",
        "the file does not exist",
        "0 errors",
        "handled the error page",
        "<script>42703</script>",
    ],
)
def test_what_only_looks_like_one(text: str) -> None:
    assert classify(entry(text)) is LogClass.OK


@pytest.mark.parametrize(
    "line",
    [
        entry("something", level="error"),
        entry("something", level="CRITICAL"),
        entry("Error: connect ECONNREFUSED"),
        entry("2026-02-04T20:14:03Z ERROR pool exhausted"),
        entry("[pool] Unhandled rejection"),
        entry("GET /x", kind="request", status="503"),
    ],
)
def test_other_errors(line: LogEntry) -> None:
    assert classify(line) is LogClass.ERROR


@pytest.mark.parametrize(
    "line",
    [
        entry("GET /x", kind="request", status="404"),
        entry("GET /error", kind="request", status="200"),
        entry("npm ERR! code 42703", kind="build"),
        entry("Error: build failed", kind="build", level="error"),
        entry(""),
        entry("\x1b[31mhello\x1b[0m"),
    ],
)
def test_nothing_of_note(line: LogEntry) -> None:
    assert classify(line) is LogClass.OK


def test_a_very_long_line_is_judged_quickly() -> None:
    assert classify(entry("column " + "x" * 1_000_000 + " does not exist error")) is LogClass.OK
