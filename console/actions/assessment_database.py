"""The database in an assessment: the schema of the instance in use, and what the ways back need of it.

What always holds: while the services use more than one instance, or one that is not known, no schema is claimed.
"""

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from console.actions.assessment_instance import instance_in_use
from console.actions.databases import Databases
from console.actions.waiting import in_time
from console.domain.outcome import Line, Tone
from console.domain.standing import Schema
from console.domain.state import RunState
from console.errors import DatabaseError, HostingError, StepFailed
from console.migration import catalog
from console.migration.saved_copy import copy_name, existing_origin

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
    """The database that the services use, as far as it answered. `saved_copy` is empty without a usable one.

    `switched` and `split` as in `console.actions.assessment_instance.InUse`.
    """

    postgres_id: str
    name: str
    switched: bool = False
    split: bool = False
    schema: Schema = Schema.UNKNOWN
    saved_copy: str = ""
    fenced: bool = False
    remarks: tuple[Line, ...] = ()
    answered: bool = False


async def look_at_database(ports: "Ports", state: RunState) -> DatabaseLook:
    """Find the instance in use and read it; what cannot be read is a remark."""
    used = await instance_in_use(ports, state)
    look = DatabaseLook(used.postgres_id, used.name, used.switched, used.split, remarks=used.remarks)
    try:
        read = _read(ports, state, used.postgres_id)
        schema, copy, fenced, more = await in_time(read, DatabaseError)
    except (DatabaseError, HostingError, StepFailed) as error:
        unread = Line(f"{used.name} does not say which schema it has", note=error.message, tone=Tone.WARNING)
        return replace(look, remarks=(*used.remarks, unread))
    return replace(
        look,
        schema=Schema.UNKNOWN if used.split else schema,
        saved_copy=copy,
        fenced=fenced,
        remarks=(*used.remarks, *more),
        answered=True,
    )


async def _read(ports: "Ports", state: RunState, postgres_id: str) -> tuple[Schema, str, bool, list[Line]]:
    """Schema, saved copy, fence and remarks of an instance. Raises DatabaseError, HostingError, StepFailed."""
    database = await Databases(ports.database, ports.instances).of(state.plan, postgres_id)
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
