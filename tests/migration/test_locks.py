"""The table of locks, held against what a real server holds after each statement."""

import pytest

from console.migration.script import parse_script
from tests.migration.postgres import LiveDatabase

STRENGTH = [
    "AccessShareLock",
    "RowShareLock",
    "RowExclusiveLock",
    "ShareUpdateExclusiveLock",
    "ShareLock",
    "ShareRowExclusiveLock",
    "ExclusiveLock",
    "AccessExclusiveLock",
]

NAMES = """
SELECT c.oid::int AS oid, relname AS name FROM pg_class c JOIN pg_namespace n ON n.oid = relnamespace
WHERE nspname = 'public' AND relkind IN ('r', 'p', 'v', 'm')
"""

HELD = """
SELECT relation::int AS oid, array_agg(mode)::text[] AS modes FROM pg_locks
WHERE pid = pg_backend_pid() AND locktype = 'relation' GROUP BY 1
"""


@pytest.mark.parametrize(
    "statement",
    [
        "SELECT * FROM accounts",
        "SELECT * FROM accounts FOR UPDATE",
        "SELECT * INTO copied FROM leads",
        "UPDATE leads SET name = contacts.full_name FROM contacts WHERE contacts.id = leads.id",
        "INSERT INTO organisations (name) SELECT name FROM leads",
        "DELETE FROM leads USING contacts WHERE leads.id = contacts.id",
        "WITH gone AS (DELETE FROM leads RETURNING id) SELECT count(*) FROM gone",
        "MERGE INTO leads USING contacts ON leads.id = contacts.id WHEN MATCHED THEN DELETE",
        "ALTER TABLE leads ADD COLUMN note text",
        "ALTER TABLE leads ADD COLUMN boss bigint REFERENCES users (id)",
        "ALTER TABLE leads DROP COLUMN company",
        "ALTER TABLE leads ALTER COLUMN company SET STATISTICS 100",
        "ALTER TABLE leads SET (fillfactor = 70)",
        "ALTER TABLE leads DISABLE TRIGGER leads_history",
        "ALTER TABLE leads ADD CONSTRAINT o FOREIGN KEY (owner_id) REFERENCES users (id) NOT VALID",
        "ALTER TABLE leads ADD CONSTRAINT named CHECK (name <> '')",
        "ALTER TABLE leads ALTER COLUMN company DROP NOT NULL",
        "ALTER TABLE leads RENAME TO chances",
        "ALTER TABLE leads RENAME COLUMN company TO firm",
        "CREATE TABLE extra (id int PRIMARY KEY, lead_id bigint REFERENCES leads (id))",
        "CREATE TABLE extra (LIKE leads)",
        "CREATE TABLE extra () INHERITS (contacts)",
        "CREATE TABLE extra AS SELECT * FROM leads",
        "CREATE VIEW lead_names AS SELECT name FROM leads",
        "CREATE OR REPLACE VIEW active_accounts AS SELECT * FROM active_accounts WHERE false",
        "CREATE MATERIALIZED VIEW lead_names AS SELECT name FROM leads",
        "DROP VIEW active_accounts",
        "CREATE INDEX i ON leads (name)",
        "CREATE TRIGGER t AFTER DELETE ON leads FOR EACH ROW EXECUTE FUNCTION record_lead_history()",
        "DROP TRIGGER leads_history ON leads",
        "CREATE RULE r AS ON DELETE TO leads DO INSTEAD NOTHING",
        "CREATE POLICY p ON leads",
        "CREATE STATISTICS s ON name, company FROM leads",
        "ANALYZE leads",
        "TRUNCATE leads",
        "LOCK TABLE leads IN SHARE MODE",
        "LOCK TABLE leads",
        "COMMENT ON TABLE leads IS 'x'",
        "COMMENT ON COLUMN leads.name IS 'x'",
        "CLUSTER leads USING leads_pkey",
        "REINDEX TABLE leads",
    ],
)
async def test_the_locks_are_those_that_postgresql_takes(untouched_database: LiveDatabase, statement: str) -> None:
    locks = parse_script("x.sql", statement.encode()).statements[0].locks
    told = {lock.relation: lock.mode.strength for lock in locks}
    async with untouched_database.session("rc/locks") as session:
        before = {row["oid"]: str(row["name"]) for row in await session.fetch(NAMES)}
        await session.execute("BEGIN")
        await session.execute(statement)
        # The names from before: a dropped relation has none any more, a renamed one another.
        names = {row["oid"]: str(row["name"]) for row in await session.fetch(NAMES)} | before
        rows = await session.fetch(HELD)
        held = {names[row["oid"]]: _strongest(row["modes"]) for row in rows if row["oid"] in names}
        await session.execute("ROLLBACK")
    assert {name: held.get(name) for name in told} == told
    # What is only looked up by key (ACCESS SHARE, ROW SHARE) may come on top.
    assert {name for name, strength in held.items() if strength > 2} <= set(told)


def _strongest(modes: object) -> int:
    assert isinstance(modes, list)
    return max(STRENGTH.index(mode) + 1 for mode in modes)
