"""A server for the whole run, a database of its own for each test, and the plan of migration 020."""

from collections.abc import Iterator
from dataclasses import replace

import pytest

from console.domain.outcome import Progress
from console.domain.plan import Claim, HistoryTable, MappingRule, Migration, OverrideRule, ValueMapping
from console.migration.script import Script, parse_script
from tests.migration.postgres import MIGRATION_FILE, PATH, LiveDatabase, Server

MAPPING = ValueMapping(
    source="license_status",
    target="account_status",
    rules=(
        MappingRule("active", "active"),
        MappingRule("pending", "on_hold"),
        MappingRule("expired", "inactive"),
        MappingRule("suspended", "suspended"),
        MappingRule("cancelled", "cancelled"),
    ),
    overrides=(OverrideRule("deleted_at IS NOT NULL", "cancelled"),),
    otherwise="active",
    domain=("active", "inactive", "on_hold", "suspended", "cancelled"),
)

MIGRATION = Migration(
    version="020",
    file=PATH,
    table="accounts",
    key="id",
    removed=("license_status", "account_type", "is_trial"),
    added=("account_status",),
    views=("active_accounts", "deleted_accounts"),
    mapping=MAPPING,
    claims=(
        Claim("Trial accounts become on_hold", "account_type = 'trial'", "on_hold"),
        Claim("Flagged accounts become on_hold", "is_trial", "on_hold"),
    ),
    saved_copy="accounts_before_020",
    history=HistoryTable("schema_migrations", "version", {"filename": "{file}", "checksum": "{checksum}"}),
    lock_timeout=3.0,
    statement_timeout=60.0,
    code_paths=("services",),
)


@pytest.fixture(scope="session")
def server() -> Iterator[Server]:
    server = Server()
    try:
        server.start()
        yield server
    finally:
        server.stop()


@pytest.fixture
def database(server: Server) -> Iterator[LiveDatabase]:
    name = server.new_database()
    yield LiveDatabase(server, name)
    server.drop(name)


@pytest.fixture(scope="session")
def untouched_database(server: Server) -> LiveDatabase:
    """One database for all the tests that leave it as they found it."""
    return LiveDatabase(server, server.new_database())


@pytest.fixture
def migration() -> Migration:
    return MIGRATION


@pytest.fixture
def script() -> Script:
    return parse_script(PATH, MIGRATION_FILE.read_bytes())


class Heard:
    """A report that remembers."""

    def __init__(self) -> None:
        self.all: list[Progress] = []

    async def __call__(self, progress: Progress) -> None:
        self.all.append(progress)

    @property
    def durable(self) -> list[Progress]:
        return [progress for progress in self.all if progress.durable]


def changed_script(old: str, new: str) -> Script:
    """Migration 020 with one passage replaced."""
    text = MIGRATION_FILE.read_text()
    assert old in text
    return parse_script(PATH, text.replace(old, new).encode())


def mapping_with(migration: Migration, **changes: object) -> Migration:
    """The plan with another mapping."""
    return replace(migration, mapping=replace(migration.mapping, **changes))  # type: ignore[arg-type]


async def assert_untouched(database: LiveDatabase) -> None:
    """The database is as before: old columns, old views, no history row, no saved copy."""
    assert await database.value("SELECT count(license_status) FROM accounts") == 393
    assert await database.value("SELECT count(*) FROM schema_migrations WHERE version = 20") == 0
    assert await database.value("SELECT to_regclass('accounts_before_020') IS NULL")
    assert await database.value("SELECT count(account_type) FROM active_accounts") == 48
