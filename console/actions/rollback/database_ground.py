"""What the steps of the database's way back share: which instance is in use, what stood before the fence.

What always holds: the settings from before the fence are those of the first fence that stands, whichever way raised it:
what the console itself has switched is never taken for how it was.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from console.actions.handover import left_by, states_of
from console.actions.production import state_of_production
from console.domain.hosting import DatabasePlace
from console.domain.plan import Json, Plan, Service
from console.domain.state import RunState, StepState, StepStatus
from console.errors import HostingError, StepFailed
from console.ports import Context, Switches

FENCE = "rollback.fence"
RECOVER = "rollback.recover"
SWITCH = "rollback.switch"
OPEN = "rollback.open"

WAYS_ON = "Retry, or choose another way back: each of them lets users in again at its end."

_SENDS = 3


@dataclass(frozen=True, slots=True)
class BeforeFence:
    """How it was before writes were fenced off: maintenance mode by service key, the database's own setting.

    `read_only` is the value of `default_transaction_read_only` that the database set itself, empty when it set none.
    """

    postgres_id: str
    maintenance: Mapping[str, bool]
    read_only: str

    def data(self) -> dict[str, Json]:
        """As plain JSON, for `before` and evidence."""
        return {
            "postgres_id": self.postgres_id,
            "maintenance": dict(self.maintenance),
            "read_only_before": self.read_only,
        }


def before_fence(state: RunState) -> BeforeFence | None:
    """The settings from before the fence that stands; None when none was raised, or the last was taken down."""
    found: BeforeFence | None = None
    for step in state.steps.values():
        if step.step.action == FENCE:
            found = found or _recorded(step)
        if step.step.action == OPEN and step.status is StepStatus.SUCCEEDED:
            found = None
    return found


def fenced_instance(ctx: Context) -> str:
    """The id of the instance that is (to be) fenced off: the one in use before this way switches to another."""
    record = left_by(ctx, FENCE)
    if record is not None and "postgres_id" in record:
        return record.text("postgres_id")
    assessment = ctx.state.assessment
    return (assessment.standing.postgres_id if assessment is not None else "") or ctx.plan.database.postgres_id


def instance_of_services(ctx: Context) -> str:
    """The id of the instance that the services are to use by now: the new one once they were pointed at it.

    Empty when they were pointed at another by hand and nobody recorded which.
    """
    own = own_switch(ctx)
    if own is not None:
        return switched_to(ctx.state) if own.status is StepStatus.SUCCEEDED else fenced_instance(ctx)
    # A way that switches nothing goes by what the services' variables say: that was read after any earlier switch.
    assessment = ctx.state.assessment
    if assessment is not None and assessment.standing.postgres_id and not assessment.standing.split:
        return assessment.standing.postgres_id
    return switched_to(ctx.state) or fenced_instance(ctx)


def own_switch(ctx: Context) -> StepState | None:
    """The step of this way that points the services at another instance; None when the way has none."""
    way = ctx.state.rollback
    return next((each for each in states_of(ctx, SWITCH) if way is not None and each.step.id in way.steps), None)


def switched_to(state: RunState) -> str:
    """The instance at which the run's last switch pointed every service, by its record.

    One that was done by hand left none: it pointed at what was recovered before. Empty without a switch, and while
    the last one that was begun did not succeed: then nobody knows which services it reached.
    """
    found = recovered = ""
    for step in state.steps.values():
        if step.step.action == RECOVER:
            recovered = _instance_left(step)
        if step.step.action == SWITCH and (step.attempt or step.status is StepStatus.SUCCEEDED):
            found = (_instance_left(step) or recovered) if step.status is StepStatus.SUCCEEDED else ""
    return found


async def led_elsewhere(switches: Switches, plan: Plan, places: tuple[DatabasePlace, ...]) -> tuple[str, ...]:
    """The services whose variable leads to none of `places`, each with where it leads. Raises HostingError."""
    users = [each for each in plan.services_in("production") if each.database_env]
    found = [(each.name, await switches.database_of(each.id, each.database_env)) for each in users]
    return tuple(f"{name} → {place}" for name, place in found if place not in places)


def services_with_database(plan: Plan) -> tuple[tuple[Service, str], ...]:
    """The production services that use the database, with the variable that holds their connection string.

    Raises StepFailed when the plan names none: then nothing could be switched.
    """
    found = tuple((each, each.database_env) for each in plan.services_in("production") if each.database_env)
    if not found:
        raise StepFailed(
            "The plan names no service's variable that holds the connection string.",
            remedy="Give the services that use the database their database_env in config.toml; for this run point "
            "them at the new instance in the provider's dashboard, deploy, and mark the steps as done by hand.",
        )
    return found


def fenced_off(ctx: Context) -> str:
    """What state production is in while the fence stands, for errors; as it is without one otherwise."""
    fence = before_fence(ctx.state)
    if fence is None:
        return state_of_production(ctx)
    serving = instance_of_services(ctx)
    kept = f"Instance {fence.postgres_id} is read only and keeps every row"
    use = "" if serving in ("", fence.postgres_id) else f", the services are pointed at {serving}"
    return f"Users see the maintenance page and nothing is written. {kept}{use}. {state_of_production(ctx)}"


async def maintain(switches: Switches, service: Service, shut: bool) -> None:
    """Maintenance mode as wanted; a request whose answer was lost is simply sent again. Raises HostingError."""
    for left in reversed(range(_SENDS)):
        try:
            await switches.set_maintenance(service.id, shut)
            return
        except HostingError as error:
            if not left or (error.status is not None and error.status < 500):
                raise


def _recorded(step: StepState) -> BeforeFence | None:
    """The first record that a fence step left, however it ended, also when it was reopened."""
    candidates: list[Mapping[str, Json]] = [step.undone, step.before]
    if step.unfinished is not None:
        candidates.insert(1, step.unfinished.before)
    if step.evidence is not None:
        candidates.append(step.evidence.data)
    for data in candidates:
        maintenance, instance = data.get("maintenance"), data.get("postgres_id")
        if isinstance(maintenance, dict) and isinstance(instance, str):
            return BeforeFence(
                instance,
                {key: value is True for key, value in maintenance.items()},
                str(data.get("read_only_before") or ""),
            )
    return None


def _instance_left(step: StepState) -> str:
    """The instance that a step named in its evidence; empty when it left nothing."""
    return str(step.evidence.data.get("postgres_id") or "") if step.evidence is not None else ""
