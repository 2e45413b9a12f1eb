"""Opening a connection: from a connection string and a TLS mode to a live link, bounded in time."""

import asyncio
import os
import ssl
from collections.abc import Mapping
from pathlib import Path
from typing import TypeAlias

import certifi
import psycopg
from psycopg.conninfo import conninfo_to_dict, make_conninfo
from psycopg.rows import dict_row

from console.adapters.database.errors import translated
from console.errors import DatabaseError
from console.ports import Row
from console.secrets import Secret

Link: TypeAlias = psycopg.AsyncConnection[Row]

TLS_MODES = ("verify-full", "verify-ca", "require", "disable")
"""From the strictest; `disable` only where a plan says so by name, for a server on the same machine."""

CONNECT_S = 10.0
_SHORTEST_SECRET = 4

# A server that is gone is noticed within half a minute, also in the middle of a long statement.
_KEEPALIVE: Mapping[str, int] = {
    "keepalives": 1,
    "keepalives_idle": 10,
    "keepalives_interval": 5,
    "keepalives_count": 3,
    "tcp_user_timeout": 30_000,
}


_VARIABLES = {
    "host": "PGHOST",
    "hostaddr": "PGHOSTADDR",
    "port": "PGPORT",
    "user": "PGUSER",
    "password": "PGPASSWORD",
    "dbname": "PGDATABASE",
    "options": "PGOPTIONS",
    "sslmode": "PGSSLMODE",
    "sslrootcert": "PGSSLROOTCERT",
    "sslcert": "PGSSLCERT",
    "sslkey": "PGSSLKEY",
    "gssencmode": "PGGSSENCMODE",
    "connect_timeout": "PGCONNECT_TIMEOUT",
}


class Target:
    """Where to connect and how the line is protected. Shows neither in a repr nor in an error what is secret."""

    def __init__(self, url: Secret, tls: str) -> None:
        if tls not in TLS_MODES:
            raise ValueError(f"no such TLS mode: {tls}; there are {', '.join(TLS_MODES)}")
        self.tls = tls
        parameters = _parameters(url, tls)
        self._conninfo = make_conninfo("", **parameters)
        known = (url.reveal(), str(parameters.get("password", "")))
        self.secrets = tuple(text for text in known if len(text) >= _SHORTEST_SECRET)

    def environment(self) -> dict[str, str]:
        """The same for PostgreSQL's own programs, as environment variables. Holds the password."""
        parameters = conninfo_to_dict(self._conninfo)
        return {name: str(parameters[key]) for key, name in _VARIABLES.items() if parameters.get(key) is not None}

    async def connect(self, application: str) -> Link:
        """A new connection in autocommit, without prepared statements. Raises DatabaseError."""
        try:
            # Two bounds: libpq's own for each address, ours for all of them.
            async with asyncio.timeout(2 * CONNECT_S):
                return await psycopg.AsyncConnection.connect(
                    self._conninfo,
                    application_name=application,
                    autocommit=True,
                    # A plan cached before a migration fails after it, and poolers know no prepared statements.
                    prepare_threshold=None,
                    row_factory=dict_row,
                )
        except psycopg.Error as error:
            failure = translated(error, self.secrets, connecting=True)
        except TimeoutError:
            failure = DatabaseError(
                f"The database cannot be reached: no answer within {2 * CONNECT_S:.0f} s.",
                production="Nothing was done in the database.",
                remedy="Check the host, the port, the network and the server's list of allowed addresses.",
                retryable=True,
            )
        # Outside of the handler: the vendor's exception may hold the connection string.
        raise failure


def _parameters(url: Secret, tls: str) -> dict[str, str | int]:
    given: dict[str, str | int] | None
    try:
        given = {key: value for key, value in conninfo_to_dict(url.reveal()).items() if value is not None}
    except psycopg.Error:
        given = None  # its words quote the string
    if not given:
        raise DatabaseError(
            f"{url.source} holds no connection string that PostgreSQL understands.",
            production="Nothing was done in the database.",
            remedy="It looks like postgresql://user:password@host:5432/name; special characters are percent-encoded.",
        )
    given.pop("application_name", None)
    protection: dict[str, str | int] = {"sslmode": tls, "gssencmode": "disable"}
    if tls.startswith("verify") and "sslrootcert" not in given:
        protection["sslrootcert"] = _roots()
    return {**_KEEPALIVE, "connect_timeout": int(CONNECT_S), **given, **protection, "client_encoding": "utf8"}


def _roots() -> str:
    """The certificates that a server's may be signed by: `PGSSLROOTCERT`, the system's, or Mozilla's."""
    named = os.environ.get("PGSSLROOTCERT")
    if named:
        return named
    system = ssl.get_default_verify_paths().cafile
    return system if system and Path(system).is_file() else certifi.where()
