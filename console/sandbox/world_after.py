"""What production is like after a way back, held against what it was: the further keys of a summary's `world` block.

Every value is asked of the world's own services, servers, repository and records, none of the console. What cannot be
asked, because the service or server does not answer, is None (or False where the answer would have had to be yes).
"""

import asyncio
import logging
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import cast

import httpx
import psycopg

from console.errors import SandboxError
from console.sandbox.cluster import Cluster
from console.sandbox.contracts import DatabaseInstance, Role
from console.sandbox.databases import SandboxDatabases
from console.sandbox.migration_trace import Birth, Migrated, find_migration
from console.sandbox.old_values import OldValues
from console.sandbox.remote import GitRemote
from console.sandbox.user_rows import kept_rows, lost_rows
from console.sandbox.user_writes import Answer, UserWrite, UserWrites
from console.sandbox.world_spec import ServiceSpec, WorldSpec

JsonObject = dict[str, object]

_log = logging.getLogger(__name__)

_TIMEOUT_S = 10.0
_ROLES: tuple[Role, ...] = ("backend", "frontend")
# What the old release's users ask; the superuser, whom no fence keeps out, reads the databases below.
_OLD_REQUESTS: tuple[tuple[Role, str], ...] = (
    ("backend", "/api/dashboard/kpis"),
    ("backend", "/api/reports/accounts"),
    ("backend", "/api/reports/leads"),
    ("backend", "/api/field-mapping"),
    ("backend", "/api/accounts?limit=5"),
    ("backend", "/api/accounts?status=active&limit=5"),
    ("frontend", "/"),
    ("frontend", "/api/accounts?limit=5"),
)


@dataclass(frozen=True, slots=True)
class Evidence:
    """The world's own sources."""

    spec: WorldSpec
    remote: GitRemote
    databases: SandboxDatabases
    birth: Birth
    old_values: OldValues
    writes: UserWrites


async def read_after(world: Evidence, provider: Mapping[str, object], messages: int) -> JsonObject:
    """The further keys; `provider` is the stand-in's own report, `messages` how many the stakeholders received.

    `loss.stated` is the console's word and left open here. Raises `PostgresFailed`.
    """
    before = await commits_before(world.remote)
    backends = [service for service in world.spec.services if _uses_database(service)]
    async with httpx.AsyncClient(timeout=_TIMEOUT_S, trust_env=False) as client:
        used = [await database_in_use(client, service, world.databases) for service in backends]
        old_checks = await _old_checks_pass(client, world, before)
    migrated = await _migration(world)
    current = next((instance for instance in used if instance is not None), None)
    return {
        "tree_of_main_equals_before": await _same_tree(world.remote, await world.remote.head("main"), before[-1:]),
        "autodeploy_as_before": provider["autodeploy_as_before"],
        "old_checks_pass": old_checks,
        "database_in_use": [
            {"service": service.name, "postgres_id": None if instance is None else instance.id}
            for service, instance in zip(backends, used, strict=True)
        ],
        **await _rows(world, migrated, current),
        "messages_sent": messages,
    }


async def commits_before(remote: GitRemote) -> tuple[str, ...]:
    """What main had but for the console's own pushes: the world's birth, then what colleagues pushed, oldest first."""
    moves = [push for push in remote.pushes() if push.branch == "main"]
    born = moves[0].old if moves else await remote.head("main") or ""
    return (born, *(push.new for push in moves if push.by == "colleague"))


async def database_in_use(
    client: httpx.AsyncClient, service: ServiceSpec, databases: SandboxDatabases
) -> DatabaseInstance | None:
    """The database that a running service says it talks to; None where it does not answer, or names another's."""
    answer = await _get(client, f"{service.url}/health/database")
    port = None if answer is None else cast(JsonObject, answer.json()).get("port")
    instances = [await databases.get(key) for key in databases.ids()]
    return next((one for one in instances if one is not None and one.port == port), None)


def _uses_database(service: ServiceSpec) -> bool:
    return service.environment == "production" and service.role == "backend"


async def _same_tree(remote: GitRemote, commit: str | None, others: Sequence[str]) -> bool:
    """Whether `commit` holds the same files as one of the others; False for a commit that is not there."""
    if not commit or await remote.commit(commit) is None:
        return False
    return any([not await remote.changed_files(other, commit) for other in others])


async def _old_checks_pass(client: httpx.AsyncClient, world: Evidence, before: Sequence[str]) -> bool:
    """Whether both services run a tree from before, and answer what the old release's users ask."""
    services = {role: world.spec.service("production", role) for role in _ROLES}
    for service in services.values():
        health = await _get(client, f"{service.url}/health")
        commit = None if health is None else cast(JsonObject, health.json()).get("commit")
        if not isinstance(commit, str) or not await _same_tree(world.remote, commit, before):
            return False
    answers = [await _get(client, services[role].url + path) for role, path in _OLD_REQUESTS]
    return all(answer is not None for answer in answers)


async def _get(client: httpx.AsyncClient, url: str) -> httpx.Response | None:
    """The answer, None unless it is 200."""
    try:
        answer = await client.get(url)
    except httpx.TransportError:
        return None
    return answer if answer.status_code == 200 else None


async def _migration(world: Evidence) -> Migrated | None:
    return await find_migration(world.databases.cluster(world.spec.postgres_id), world.birth)


async def _rows(world: Evidence, migrated: Migrated | None, used: DatabaseInstance | None) -> JsonObject:
    """What the databases say; a server that does not answer leaves its part open."""
    everything = await asyncio.to_thread(lambda: list(world.writes.since()))
    since = [write for write in everything if migrated is not None and write.at > migrated.at]
    answer: JsonObject = {
        "old_values_equal_before": None,
        "rows_written_since_kept": None,
        "loss": {"stated": None, "counted": None},
    }
    if used is None:
        return answer
    current = world.databases.cluster(used.id).superuser_conninfo(used.database)
    try:
        answer["old_values_equal_before"] = await _old_values(world, migrated, current, since)
        answer["rows_written_since_kept"] = asdict(await kept_rows(since, current))
        if used.id != world.spec.postgres_id:
            cluster, database = await _former(world)
            counted = await lost_rows(everything, cluster.superuser_conninfo(database), current)
            answer["loss"] = {"stated": None, "counted": counted}
    except psycopg.Error as unreadable:
        _log.warning("a database could not be asked what it holds: %s", type(unreadable).__name__)
    return answer


async def _old_values(
    world: Evidence, migrated: Migrated | None, used: str, since: Sequence[UserWrite]
) -> JsonObject | None:
    cluster, database = await _former(world)
    changed = {write.key for write in since if write.table == "accounts" and write.answer is not Answer.REFUSED}
    compared = await world.old_values.compare(cluster, database, migrated, used, changed - {None})
    return None if compared is None else asdict(compared)


async def _former(world: Evidence) -> tuple[Cluster, str]:
    """The server that production had at first, and the name of its database."""
    instance = await world.databases.get(world.spec.postgres_id)
    if instance is None:
        raise SandboxError("The world has no production database: it was never brought up completely.")
    return world.databases.cluster(instance.id), instance.database
