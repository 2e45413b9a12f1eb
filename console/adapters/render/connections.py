"""How database instances are reached: connection strings, made known as secrets before anything else is done with them.

What always holds: a string or password that comes from the provider is with the redactor before anybody sees it.
"""

from collections.abc import Callable

from psycopg import Error as PsycopgError
from psycopg.conninfo import conninfo_to_dict

from console.adapters.render.client import RenderClient
from console.adapters.render.failures import part
from console.adapters.render.models import CONNECTION_INFO, ConnectionInfo
from console.domain.hosting import DatabasePlace
from console.errors import HostingError

Learn = Callable[[str], None]
"""Is told every secret as soon as it is known."""

_PORT = 5432


class Connections:
    """Reads the connection strings of instances. Raises HostingError."""

    def __init__(self, client: RenderClient, learn: Learn) -> None:
        self._client = client
        self._learn = learn

    async def of(self, postgres_id: str) -> ConnectionInfo:
        """How an instance is reached; all of it is secret. The provider knows it once the instance was created."""
        what = f"the connection info of database {postgres_id}"
        info = await self._client.get(CONNECTION_INFO, f"/postgres/{part(postgres_id)}/connection-info", what)
        for secret in (info.password, info.internal, info.external):
            self._learn(secret)
        return info


def place_of(address: str, whose: str) -> DatabasePlace:
    """Where a connection string leads; `whose` names it in words. Raises HostingError when it leads to no database."""
    try:
        found = conninfo_to_dict(address)
        host, database = str(found.get("host") or found.get("hostaddr") or ""), str(found.get("dbname") or "")
        port = int(found.get("port") or _PORT)
    except (PsycopgError, ValueError):
        host = database = ""  # the parser's words quote the string
    if not (host and database):
        raise HostingError(
            f"{whose} is no connection string of one database.",
            production="Nothing was changed.",
            remedy="Look at it in the provider's dashboard: it looks like postgresql://user:password@host:5432/name.",
        )
    return DatabasePlace(host, port, database)
