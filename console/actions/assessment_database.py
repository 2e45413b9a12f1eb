"""The database in an assessment: which instance the services use, its schema, and what the ways back need of it."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

from console.domain.hosting import DatabasePlace
from console.domain.outcome import Line, Tone
from console.domain.standing import Schema
from console.domain.state import RunState
from console.errors import DatabaseError, HostingError, StepFailed
from console.migration import catalog
from console.migration.saved_copy import copy_name, existing_origin
from console.ports import Database

if TYPE_CHECKING:
    from console.actions.registry import Ports

# The console's own sessions set the same name for themselves: what counts is what every new session is given, in
# whatever spelling somebody wrote it.
_READ_ONLY = """
SELECT count(*) AS fences FROM pg_db_role_setting AS s, unnest(s.setconfig) AS setting
WHERE CASE WHEN setting LIKE 'default_transaction_read_only=%' THEN split_part(setting, '=', 2)::boolean
      ELSE false END
AND s.setdatabase IN (0, (SELECT oid FROM pg_database WHERE datname = current_database()))
AND s.setrole IN (0, (SELECT oid FROM pg_roles WHERE rolname = current_user))
"""


@dataclass(frozen=True, slots=True)
class DatabaseLook:
    """The database that the services use, as far as it answered. `saved_copy` is empty without a usable one."""

    postgres_id: str
    name: str
    schema: Schema = Schema.UNKNOWN
    saved_copy: str = ""
    fenced: bool = False
    remarks: tuple[Line, ...] = ()
    answered: bool = False


async def look_at_database(ports: "Ports", state: RunState) -> DatabaseLook:
    """Find the instance in use and read it; what cannot be read is a remark."""
    home = state.plan.database
    used, name, remarks = await _instance(ports, state)
    try:
        database = ports.database if used == home.postgres_id else await ports.instances.database(used)
        schema, copy, fenced, more = await _read(database, state)
    except (DatabaseError, HostingError, StepFailed) as error:
        unread = Line(f"{name} does not say which schema it has", note=error.message, tone=Tone.WARNING)
        return DatabaseLook(used, name, remarks=(*remarks, unread))
    return DatabaseLook(used, name, schema, copy, fenced, (*remarks, *more), answered=True)


async def _read(database: Database, state: RunState) -> tuple[Schema, str, bool, list[Line]]:
    migration = state.plan.migration
    table = await catalog.resolve_table(database, migration.table)
    columns = await catalog.columns_state(database, migration, table)
    remarks: list[Line] = []
    schema = Schema.OLD if columns.untouched else Schema.NEW if columns.migrated else Schema.UNKNOWN
    if schema is Schema.UNKNOWN:
        found = ", ".join((*columns.still_there, *columns.present)) or "none of them"
        text = f"{migration.table} is neither as before nor as after the migration"
        remarks.append(Line(text, note=f"of its columns there are: {found}", tone=Tone.DANGER))
    name = copy_name(migration, table)
    exists, origin = await existing_origin(database, name)
    usable = origin is not None and origin.migration == migration.version
    if exists and not usable:
        remarks.append(Line(f"{name} is there, and is no saved copy of this migration", tone=Tone.WARNING))
    fences = await database.fetch(_READ_ONLY)
    return schema, str(name) if usable else "", int(str(fences[0]["fences"])) > 0 if fences else False, remarks


async def _instance(ports: "Ports", state: RunState) -> tuple[str, str, list[Line]]:
    """The instance that the services' variables lead to, its name, and remarks; the plan's when nobody can tell."""
    home = state.plan.database
    services = [each for each in state.plan.services_in("production") if each.database_env]
    if not services:
        remark = Line("Which database the services use is not looked at", note="the plan names no variable of theirs")
        return home.postgres_id, home.name, [remark]
    used: dict[str, str] = {}
    try:
        known = {home.postgres_id: await ports.instances.places(home.postgres_id)}
        for service in services:
            place = await ports.switches.database_of(service.id, service.database_env)
            used[service.name] = await _id_of(ports, place, known)
    except (HostingError, DatabaseError) as error:
        remark = Line("Which database the services use could not be read", note=error.message, tone=Tone.WARNING)
        return home.postgres_id, home.name, [remark]
    return await _chosen(ports, state, used)


async def _id_of(ports: "Ports", place: DatabasePlace, known: dict[str, tuple[DatabasePlace, ...]]) -> str:
    """The instance of a place; empty when the owner has none there. Others are asked only where `known` has none."""
    found = next((each for each, places in known.items() if place in places), "")
    if found:
        return found
    for instance in await ports.instances.all():
        if instance.id not in known:
            known[instance.id] = await ports.instances.places(instance.id)
            if place in known[instance.id]:
                return instance.id
    return ""


async def _chosen(ports: "Ports", state: RunState, used: dict[str, str]) -> tuple[str, str, list[Line]]:
    home = state.plan.database
    remarks: list[Line] = []
    unknown = [name for name, each in used.items() if not each]
    if unknown:
        text = f"{', '.join(unknown)}: its variable leads to a database that is none of the owner's instances"
        remarks.append(Line(text, tone=Tone.DANGER))
    if len(set(used.values())) > 1:
        note = ", ".join(f"{name}: {each or 'unknown'}" for name, each in used.items())
        remarks.append(Line("The services do not all use the same database", note=note, tone=Tone.DANGER))
    other = next((each for each in used.values() if each not in ("", home.postgres_id)), "")
    if not other:
        return home.postgres_id, home.name, remarks
    try:
        return other, (await ports.backups.postgres(other)).name, remarks
    except HostingError as error:
        return other, other, [*remarks, Line(f"{other} does not say its name", note=error.message)]
