"""What happened in the world, for the summary of a rehearsal: asked of its servers, repository and databases.

Nothing here comes from the console's memory. A service that does not answer is reported with the commit None.
"""

from collections.abc import Mapping
from typing import cast

import httpx
from psycopg import AsyncConnection, sql

from console.sandbox.contracts import DatabaseInstance
from console.sandbox.databases import SandboxDatabases
from console.sandbox.release import old_migrations
from console.sandbox.remote import GitRemote
from console.sandbox.world_spec import ServiceSpec, WorldSpec

JsonObject = dict[str, object]

_TIMEOUT_S = 10.0
_STATUS_COLUMN = """
    SELECT column_name FROM information_schema.columns
    WHERE table_schema = 'public' AND table_name = 'accounts'
      AND column_name IN ('account_status', 'license_status')
    ORDER BY column_name LIMIT 1
"""


async def read_world(
    spec: WorldSpec, remote: GitRemote, databases: SandboxDatabases, provider: Mapping[str, object]
) -> JsonObject:
    """The `world` block of a summary; `provider` is the stand-in's own report."""
    backend = spec.service("production", "backend")
    frontend = spec.service("production", "frontend")
    async with httpx.AsyncClient(timeout=_TIMEOUT_S, trust_env=False) as client:
        live = [await _live_commit(client, service, provider) for service in (backend, frontend)]
        instance = await _used_database(client, backend, spec, databases)
    exports = cast(Mapping[str, int], provider["exports"])
    pushes = [push for push in remote.pushes() if push.branch == "main" and push.by == "push"]
    return {
        "exports": exports.get(spec.postgres_id, 0),
        "pushes_to_main": len(pushes),
        **await _read_database(instance),
        "deploys_live": live,
        "head_of_main": await remote.head("main"),
    }


def provider_commit(provider: Mapping[str, object], service: ServiceSpec) -> str | None:
    """The commit of a service's live deploy in the stand-in's report, None before there is one."""
    deploys = cast(list[Mapping[str, str | None]], provider["deploys_live"])
    return next((deploy["commit"] for deploy in deploys if deploy["id"] == service.id), None)


async def _live_commit(client: httpx.AsyncClient, service: ServiceSpec, provider: Mapping[str, object]) -> JsonObject:
    """The commit that a service really runs; the provider's word beside it where that differs."""
    running = (await _ask(client, f"{service.url}/health")).get("commit")
    told = provider_commit(provider, service)
    answer: JsonObject = {"service": service.name, "commit": running}
    return answer if running == told else {**answer, "provider_commit": told}


async def _used_database(
    client: httpx.AsyncClient, backend: ServiceSpec, spec: WorldSpec, databases: SandboxDatabases
) -> DatabaseInstance | None:
    """The database that production's backend talks to, or the first one where it does not say."""
    port = (await _ask(client, f"{backend.url}/health/database")).get("port")
    instances = [await databases.get(key) for key in databases.ids()]
    used = next((one for one in instances if one is not None and one.port == port), None)
    return used or await databases.get(spec.postgres_id)


async def _ask(client: httpx.AsyncClient, url: str) -> JsonObject:
    try:
        answer = await client.get(url)
    except httpx.TransportError:
        return {}
    return cast(JsonObject, answer.json()) if answer.status_code == 200 else {}


async def _read_database(instance: DatabaseInstance | None) -> JsonObject:
    if instance is None:
        return {"migrations_applied": None, "accounts": None, "account_status": {}}
    async with await AsyncConnection.connect(instance.url, autocommit=True, connect_timeout=10) as link:
        old = len(old_migrations())
        query = "SELECT (SELECT count(*) FROM accounts), count(*) FROM schema_migrations WHERE version > %s"
        row = await (await link.execute(query, [old])).fetchone()
        column = await (await link.execute(_STATUS_COLUMN)).fetchone()
        counts = await link.execute(
            sql.SQL("SELECT coalesce({0}, 'NULL'), count(*) FROM accounts GROUP BY 1 ORDER BY 1").format(
                sql.Identifier(column[0] if column else "account_status")
            )
        )
        statuses = {str(status): int(count) for status, count in await counts.fetchall()}
    accounts, applied = row or (None, None)
    return {"migrations_applied": applied, "accounts": accounts, "account_status": statuses}
