"""Which database instance the services use, in an assessment: read from their variables, never guessed.

What always holds: an instance of the owner's that does not say where it is hides none of the others; a variable that
cannot be read stands for the run's own last switch, and where there was none for an instance that nobody knows.
"""

import asyncio
from dataclasses import dataclass
from typing import TYPE_CHECKING

from console.actions.rollback.database_ground import before_fence, switched_to
from console.actions.waiting import in_time
from console.domain.hosting import DatabasePlace
from console.domain.outcome import Line, Tone
from console.domain.plan import Service
from console.domain.state import RunState
from console.errors import HostingError

if TYPE_CHECKING:
    from console.actions.registry import Ports

_NO_SUCH = 404


@dataclass(frozen=True, slots=True)
class InUse:
    """The instance to be read. `switched`: a service uses another than the plan's.

    `split`: the services use more than one, or one that is not known; this is then the fenced one, or the plan's.
    """

    postgres_id: str
    name: str
    switched: bool = False
    split: bool = False
    remarks: tuple[Line, ...] = ()


async def instance_in_use(ports: "Ports", state: RunState) -> InUse:
    """The instance that the services' variables lead to; what cannot be read is a remark."""
    services = [each for each in state.plan.services_in("production") if each.database_env]
    if not services:
        remark = Line("Which database the services use is not looked at", note="the plan names no variable of theirs")
        return await _chosen(ports, state, {"": switched_to(state) or state.plan.database.postgres_id}, [remark])
    known: dict[str, tuple[DatabasePlace, ...]] = {}
    found = await asyncio.gather(*(_used_by(ports, state, service, known) for service in services))
    used = {service.name: postgres_id for service, (postgres_id, _) in zip(services, found, strict=True)}
    return await _chosen(ports, state, used, [remark for _, remarks in found for remark in remarks])


async def _used_by(
    ports: "Ports", state: RunState, service: Service, known: dict[str, tuple[DatabasePlace, ...]]
) -> tuple[str, list[Line]]:
    """The instance that a service's variable leads to, empty when it is not known; with a remark where it was not read.

    `known` are the places by instance that were read so far, and is added to.
    """
    try:
        place, found = await in_time(_lookup(ports, state, service, known), HostingError)
    except HostingError as error:
        recorded = switched_to(state)
        note = error.message + (f"; by the run's own record it uses {recorded}" if recorded else "")
        text = f"Which database {service.name} uses could not be read"
        return recorded, [Line(text, note=note, tone=Tone.DANGER)]
    if found:
        return found, []
    text = f"{service.name}: its variable leads to a database that is none of the owner's instances"
    return "", [Line(text, note=str(place), tone=Tone.DANGER)]


async def _lookup(
    ports: "Ports", state: RunState, service: Service, known: dict[str, tuple[DatabasePlace, ...]]
) -> tuple[DatabasePlace, str]:
    """Where a service's variable leads, and the instance there."""
    place = await ports.switches.database_of(service.id, service.database_env)
    return place, await _id_of(ports, state, place, known)


async def _id_of(
    ports: "Ports", state: RunState, place: DatabasePlace, known: dict[str, tuple[DatabasePlace, ...]]
) -> str:
    """The instance of a place; empty when the owner has none there. Others are asked only where none before has it."""
    home = state.plan.database.postgres_id
    if home not in known:
        known[home] = await _places(ports, home)
    found = next((each for each, places in known.items() if place in places), "")
    if found:
        return found
    for instance in await ports.instances.all():
        if instance.id not in known:
            known[instance.id] = await _places(ports, instance.id)
            if place in known[instance.id]:
                return instance.id
    return ""


async def _places(ports: "Ports", postgres_id: str) -> tuple[DatabasePlace, ...]:
    """Where an instance is; nowhere while it is being created, after it failed to be, and once it is deleted."""
    try:
        return await ports.instances.places(postgres_id)
    except HostingError as error:
        if error.status != _NO_SUCH:
            raise
        return ()


async def _chosen(ports: "Ports", state: RunState, used: dict[str, str], remarks: list[Line]) -> InUse:
    home = state.plan.database
    ids = set(used.values())
    split = len(ids) > 1 or "" in ids
    if len(ids) > 1:
        note = ", ".join(f"{name}: {each or 'unknown'}" for name, each in used.items())
        remarks = [*remarks, Line("The services do not all use the same database", note=note, tone=Tone.DANGER)]
    switched = bool(ids - {"", home.postgres_id})
    fence = before_fence(state)
    fenced = fence.postgres_id if fence is not None else ""
    # Of several the fenced one is read: there it is known what would be lost.
    chosen = next(iter(ids)) if not split else fenced if fenced in ids - {""} else home.postgres_id
    name, more = await _name(ports, state, chosen)
    return InUse(chosen, name, switched, split, (*remarks, *more))


async def _name(ports: "Ports", state: RunState, postgres_id: str) -> tuple[str, list[Line]]:
    if postgres_id == state.plan.database.postgres_id:
        return state.plan.database.name, []
    try:
        return (await in_time(ports.backups.postgres(postgres_id), HostingError)).name, []
    except HostingError as error:
        return postgres_id, [Line(f"{postgres_id} does not say its name", note=error.message)]
