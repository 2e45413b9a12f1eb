"""Setting up the shared record: its roles, its tables and functions, and who is to be let in.

What always holds: everything is done in one transaction, or nothing; again is harmless, and brings an older schema up
to this console's version.
"""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from importlib.resources import files

import psycopg
from psycopg import sql
from psycopg.rows import class_row, scalar_row

from console.adapters.database.connecting import Link, Target
from console.adapters.journal import failures
from console.adapters.journal.link import VERSION
from console.adapters.journal.names import DRIVER_ROLE, OBSERVER_ROLE, SIGNER_ROLE
from console.errors import DatabaseError, JournalError
from console.secrets import Secret

_INSTALL_S = 60.0
_SETTINGS = "SET LOCAL lock_timeout = '10s'; SET LOCAL statement_timeout = '30s'; SET LOCAL search_path = pg_catalog"
# One installation at a time; the number is any that nobody else uses.
_ONE_AT_A_TIME = "SELECT pg_advisory_xact_lock(7263019845521)"
_ABOUT = """
SELECT current_database()::text AS database, session_user::text AS login,
       current_setting('server_version_num')::integer AS release,
       current_setting('server_encoding') AS encoding, pg_is_in_recovery() AS standby,
       ARRAY(SELECT rolname::text FROM pg_roles WHERE rolname = ANY (%(roles)s)) AS roles,
       ARRAY(SELECT m.rolname::text FROM pg_auth_members a
             JOIN pg_roles g ON g.oid = a.roleid JOIN pg_roles m ON m.oid = a.member
             WHERE g.rolname = %(observer)s) AS watching,
       to_regclass('release_console.version') IS NOT NULL AS installed,
       pg_has_role('pg_signal_backend', 'USAGE') AS may_end_sessions
"""
_OLDEST = 140_000
_ROLES = (DRIVER_ROLE, OBSERVER_ROLE, SIGNER_ROLE)
_NOTHING = "Nothing was changed in the store."


@dataclass(frozen=True, slots=True)
class Installed:
    """What was set up: in which database, by whom. `version` is that of the schema, `before` the one there was (0:
    none). `may_end_sessions`: whether a take-over can end the session of the driver before."""

    database: str
    login: str
    version: int
    before: int
    may_end_sessions: bool


async def install(url: Secret, *, tls: str) -> Installed:
    """Create or update roles, schema and grants. Raises StoreLost, JournalError with what an administrator must do."""
    target = Target(url, tls)
    try:
        async with asyncio.timeout(_INSTALL_S), _connected(target) as link, link.transaction():
            return await _installed(link)
    except TimeoutError:
        failure: JournalError = failures.lost(f"it was not set up within {_INSTALL_S:.0f} s")
    except psycopg.Error as error:
        failure = failures.refused(error, target.secrets)
    raise failure


def statements_for(logins: Sequence[tuple[str, str]]) -> tuple[str, ...]:
    """The statements that let somebody in: pairs of a role of the store and a login."""
    return tuple(f"GRANT {role} TO {sql.Identifier(login).as_string()};" for role, login in logins)


@dataclass(frozen=True, slots=True)
class _About:
    """What there is before anything is set up."""

    database: str
    login: str
    release: int
    encoding: str
    standby: bool
    roles: list[str]
    watching: list[str]
    installed: bool
    may_end_sessions: bool


@contextlib.asynccontextmanager
async def _connected(target: Target) -> AsyncIterator[Link]:
    try:
        link = await target.connect("rc/journal-init")
    except DatabaseError as error:
        raise failures.lost(f"{error.message[:1].lower()}{error.message[1:]}", error.remedy) from error
    try:
        yield link
    finally:
        await link.close()


async def _installed(link: Link) -> Installed:
    await link.execute(_SETTINGS.encode())
    await link.execute(_ONE_AT_A_TIME.encode())
    async with link.cursor(row_factory=class_row(_About)) as cursor:
        await cursor.execute(_ABOUT.encode(), {"roles": list(_ROLES), "observer": OBSERVER_ROLE})
        (about,) = await cursor.fetchall()
    _check(about)
    before = await _version(link) if about.installed else 0
    if before > VERSION:
        raise failures.other_version(before, VERSION)
    await _have_roles(link, about)
    await _have_schema(link, about, before)
    return Installed(about.database, about.login, VERSION, before, about.may_end_sessions)


def _check(about: _About) -> None:
    if about.release < _OLDEST:
        raise JournalError(
            f"The server of {about.database} is PostgreSQL {about.release // 10_000}; the shared record needs"
            f" {_OLDEST // 10_000} or newer.",
            production=_NOTHING,
            remedy="Name a newer server in the address of the shared record.",
        )
    if about.encoding != "UTF8":
        raise JournalError(
            f"The database {about.database} cannot hold every character of a record: its encoding is {about.encoding}.",
            production=_NOTHING,
            remedy="Make one for it: CREATE DATABASE release_console ENCODING 'UTF8' TEMPLATE template0;",
        )
    if about.standby:
        raise JournalError(
            f"The server of {about.database} is a standby, which can only be read.",
            production=_NOTHING,
            remedy="Name the primary in the address of the shared record.",
        )


async def _version(link: Link) -> int:
    async with link.cursor(row_factory=scalar_row) as cursor:
        await cursor.execute(b"SELECT coalesce(max(version), 0) FROM release_console.version")
        return int((await cursor.fetchall())[0])


async def _have_roles(link: Link, about: _About) -> None:
    """Create the roles that are missing. They cannot log in: people are made members of them."""
    statements = [f"CREATE ROLE {role} NOLOGIN;" for role in _ROLES if role not in about.roles]
    statements += [
        f"GRANT {OBSERVER_ROLE} TO {role};" for role in (DRIVER_ROLE, SIGNER_ROLE) if role not in about.watching
    ]
    try:
        for statement in statements:
            await link.execute(statement.encode())
    except psycopg.errors.InsufficientPrivilege:
        failure = JournalError(
            f"{about.login} may not create the roles of the shared record.",
            production=_NOTHING,
            remedy="An administrator of the store runs this, then run `release-console journal init` again:\n"
            + "\n".join(f"  {statement}" for statement in statements),
        )
    else:
        return
    raise failure


async def _have_schema(link: Link, about: _About, before: int) -> None:
    content = await asyncio.to_thread(files(__package__).joinpath("schema.sql").read_bytes)
    try:
        await link.execute(content)
        if before != VERSION:
            await link.execute(b"INSERT INTO release_console.version (version) VALUES (%s)", (VERSION,))
    except psycopg.errors.InsufficientPrivilege as error:
        said = error.diag.message_primary or "a right is missing"
        database, login = (sql.Identifier(name).as_string() for name in (about.database, about.login))
        failure = JournalError(
            f"{about.login} may not set up the shared record in {about.database}: {said}.",
            production=_NOTHING,
            remedy=f"An administrator of the store runs: GRANT CREATE ON DATABASE {database} TO {login}; - or, where"
            " somebody else set it up before, run `release-console journal init` as they.",
        )
    else:
        return
    raise failure
