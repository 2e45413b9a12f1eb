"""Database: the right one, safely reached, with the rights, the room and the quiet that the migration needs."""

from collections.abc import AsyncIterator, Iterator

from console.domain.databases import Backend, DatabaseIdentity
from console.domain.findings import Finding, Severity
from console.domain.plan import Plan
from console.migration import catalog
from console.migration.names import QualifiedName
from console.migration.reading import whole
from console.ports import Database
from console.preflight.ground import Ground, listed

_CLOCK_LIMIT_S = 5.0
_FEW_CONNECTIONS = 10
# The migration, the readings beside it, and room for the one who looks after it by hand.
_NEEDED_CONNECTIONS = 4
_UNPROTECTED = "none"

_RIGHTS = """
SELECT wanted.name AS name, pg_has_role(current_user, c.relowner, 'USAGE') AS owns,
       has_schema_privilege(current_user, c.relnamespace, 'CREATE') AS creates,
       has_table_privilege(current_user, c.oid, 'INSERT') AS inserts
FROM unnest(%(names)s::text[]) AS wanted (name)
JOIN pg_class AS c ON c.oid = to_regclass(wanted.name)
"""
_CONNECTIONS = """
SELECT current_setting('max_connections')::int - current_setting('superuser_reserved_connections')::int AS usable,
       (SELECT count(*) FROM pg_stat_activity WHERE backend_type = 'client backend') AS used
"""


async def look(ground: Ground) -> AsyncIterator[Finding]:
    """Who answers, what it lets us do, and what else is going on there."""
    plan, database = ground.plan, ground.ports.database
    identity = await database.identity()
    for finding in (*_right_one(plan, identity), *_protection(plan, identity), *_clock(identity)):
        yield finding
    async for finding in _rights(plan, database):
        yield finding
    async for finding in _history(plan, database):
        yield finding
    async for finding in _connections(database):
        yield finding
    for finding in _long_transactions(plan, await database.backends()):
        yield finding


def _right_one(plan: Plan, identity: DatabaseIdentity) -> Iterator[Finding]:
    where = f"{identity.database} at {identity.host}:{identity.port} as {identity.role}"
    if identity.database != plan.database.name:
        yield Finding(
            "database.name",
            Severity.BLOCKER,
            f"The connection leads to the database {identity.database}, and the plan names {plan.database.name}.",
            where,
            "Correct the connection string, or the name in the plan.",
        )
    if identity.in_recovery:
        yield Finding(
            "database.replica",
            Severity.BLOCKER,
            "The server is in recovery: it is a replica and takes no writes.",
            where,
            "Name the primary in the connection string.",
        )


def _protection(plan: Plan, identity: DatabaseIdentity) -> Iterator[Finding]:
    if identity.tls == _UNPROTECTED and plan.database.tls != "disable":
        yield Finding(
            "database.tls",
            Severity.BLOCKER,
            f"The connection is not protected, and the plan asks for {plan.database.tls}.",
            f"{identity.host}:{identity.port} without TLS",
            "Use the external connection string, or allow it in the plan by name (tls).",
        )
    elif plan.environment != "rehearsal" and plan.database.tls in ("require", "disable"):
        yield Finding(
            "database.tls",
            Severity.WARNING,
            "The plan does not have the server's certificate verified: whoever sits between could answer.",
            f'tls = "{plan.database.tls}"',
            'Say tls = "verify-full".',
        )


def _clock(identity: DatabaseIdentity) -> Iterator[Finding]:
    if abs(identity.clock_offset) > _CLOCK_LIMIT_S:
        yield Finding(
            "database.clock",
            Severity.WARNING,
            "The clocks of the server and of this machine differ: times in the record will not match.",
            f"the server is {abs(identity.clock_offset):.0f} s {'ahead' if identity.clock_offset > 0 else 'behind'}",
            "Set this machine's clock.",
        )


async def _rights(plan: Plan, database: Database) -> AsyncIterator[Finding]:
    migration = plan.migration
    names = [QualifiedName.parse(name).sql for name in (migration.table, *migration.views, *migration.dropped_views)]
    found = {str(row["name"]): row for row in await database.fetch(_RIGHTS, {"names": names})}
    table = found.get(names[0])
    if table is None:
        message = f"There is no table {migration.table} in this database."
        remedy = "See that it is the right database, and correct the table in the plan."
        yield Finding("database.table", Severity.BLOCKER, message, remedy=remedy)
        return
    foreign = [name for name, row in found.items() if row["owns"] is not True]
    if foreign:
        message = f"This role does not own {listed(foreign)} and cannot change it."
        remedy = "Use the owner's connection string, or grant its role."
        yield Finding("database.owner", Severity.BLOCKER, message, remedy=remedy)
    if table["creates"] is not True:
        message = f"This role may not create a table beside {migration.table}: what is dropped could not be saved."
        yield Finding("database.create", Severity.BLOCKER, message, remedy="Grant CREATE on the schema.")


async def _history(plan: Plan, database: Database) -> AsyncIterator[Finding]:
    migration = plan.migration
    name = QualifiedName.parse(migration.history.table).sql
    rows = await database.fetch(_RIGHTS, {"names": [name]})
    if not rows:
        message = f"There is no table {migration.history.table} to record the migration in."
        remedy = "Create it, or name the right one in the plan."
        yield Finding("database.history", Severity.BLOCKER, message, remedy=remedy)
    elif rows[0]["inserts"] is not True:
        message = f"This role may not write into {migration.history.table}."
        yield Finding("database.history", Severity.BLOCKER, message, remedy="Grant INSERT on it.")
    elif await catalog.history_row(database, migration) is not None:
        message = f"Migration {migration.version} is recorded in {migration.history.table} already."
        remedy = "Find out who ran it, and what it did, before anything else."
        yield Finding("database.history", Severity.BLOCKER, message, remedy=remedy)


async def _connections(database: Database) -> AsyncIterator[Finding]:
    row = (await database.fetch(_CONNECTIONS))[0]
    usable, used = whole(row["usable"]), whole(row["used"])
    free = usable - used
    if free < _FEW_CONNECTIONS:
        yield Finding(
            "database.connections",
            Severity.BLOCKER if free < _NEEDED_CONNECTIONS else Severity.WARNING,
            "The server has few connections left, and a deploy opens more before it closes the old ones.",
            f"{used} of {usable} in use",
            "Close idle clients, or raise the limit.",
        )


def _long_transactions(plan: Plan, backends: tuple[Backend, ...]) -> Iterator[Finding]:
    limit = plan.thresholds.longest_query
    long = [backend for backend in backends if backend.transaction_seconds > limit]
    if long:
        long.sort(key=lambda backend: -backend.transaction_seconds)
        yield Finding(
            "database.long_transactions",
            Severity.WARNING,
            f"Transactions are open for longer than {limit:.0f} s; the migration would wait for them in vain.",
            listed([f"pid {each.pid} ({each.user}, {each.state}) {each.transaction_seconds:.0f} s" for each in long]),
            "Find out what they are, and see that none is open when the migration starts.",
        )
