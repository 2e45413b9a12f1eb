"""Whether two connection strings lead to the same database, or to the same server: asked of the servers themselves.

Addresses are never compared: names, proxies and poolers make one place look like two. A lock that is taken over one
connection, with a random number, is looked for over the other.
"""

import asyncio
import contextlib
import secrets
from collections.abc import AsyncIterator
from typing import Literal

import psycopg

from console.adapters.database.connecting import Link, Target
from console.adapters.database.errors import translated
from console.errors import DatabaseError
from console.secrets import Secret

Place = Literal["database", "server", ""]

_ASK_S = 20.0
# Of the transaction, so that a pooler cannot leave it held by a session that serves others.
_TAKE = "SELECT pg_advisory_xact_lock(%(key)s)"
_LOOK = """
SELECT k.database = (SELECT oid FROM pg_database WHERE datname = current_database()) AS here
FROM pg_locks k
WHERE k.locktype = 'advisory' AND k.objsubid = 1 AND k.granted
  AND ((k.classid::bigint << 32) | k.objid::bigint) = %(key)s
"""


async def same_place(store: tuple[Secret, str], database: tuple[Secret, str]) -> Place:
    """Where `store` leads, seen from `database`: the same "database", another on the same "server", or elsewhere ("").

    Each is a connection string and its TLS mode (see `Target`). Raises DatabaseError when either cannot be asked.
    """
    key = secrets.randbits(62)
    try:
        async with (
            asyncio.timeout(_ASK_S),
            _asked(*store) as holder,
            _asked(*database) as looker,
            holder.transaction(),
        ):
            await holder.execute(_TAKE.encode(), {"key": key})
            cursor = await looker.execute(_LOOK.encode(), {"key": key})
            found = await cursor.fetchall()
    except TimeoutError:
        raise DatabaseError(
            f"Whether the shared record lies in the database to be migrated was not answered within {_ASK_S:.0f} s.",
            production="Nothing was done in either database.",
            remedy="See whether both servers are up and reached from here, then retry.",
            retryable=True,
        ) from None
    if not found:
        return ""
    return "database" if found[0]["here"] is True else "server"


@contextlib.asynccontextmanager
async def _asked(url: Secret, tls: str) -> AsyncIterator[Link]:
    """A connection for a question; what it raises is translated."""
    target = Target(url, tls)
    link = await target.connect("release-console")
    try:
        try:
            yield link
        finally:
            await link.close()
        return
    except psycopg.Error as error:
        failure = translated(error, target.secrets)
    raise failure
