"""The first state of a workspace, from its seed."""

from collections.abc import Sequence

from console.sandbox.contracts import EnvironmentName, Faults
from console.sandbox.render.identity import new_id
from console.sandbox.render.seed import ServiceSeed, WorldSeed
from console.sandbox.render.state import Postgres, Service, State
from console.sandbox.render.times import utc_now

WRONG_BRANCH = "release"

_ENVIRONMENTS: Sequence[EnvironmentName] = ("production", "staging", "devtest")


def newborn(seed: WorldSeed, faults: Faults) -> State:
    """The state before anything was deployed; the fault `wrong-branch` is in it from the beginning."""
    now = utc_now()
    state = State(
        owner_id=seed.owner_id,
        project_id=new_id("prj"),
        created_at=now,
        environments={name: new_id("evm") for name in _ENVIRONMENTS},
    )
    for service in seed.services:
        state.services[service.id] = Service(
            id=service.id,
            name=service.name,
            environment=service.environment,
            role=service.role,
            branch=_tracked_branch(service, faults),
            root_dir=service.root_dir,
            build_filter=service.build_filter,
            autodeploy=service.autodeploy,
            env=dict(service.env),
            public_port=service.public_port,
            build_seconds=service.build_seconds,
            health_check_path=service.health_check_path,
            created_at=now,
            updated_at=now,
        )
    for postgres in seed.postgres:
        state.postgres[postgres.id] = Postgres(
            id=postgres.id, name=postgres.name, environment=postgres.environment, created_at=now, updated_at=now
        )
    return state


def _tracked_branch(service: ServiceSeed, faults: Faults) -> str:
    wrong = (service.environment, service.role) == ("production", "backend") and faults.active("wrong-branch")
    return WRONG_BRANCH if wrong else service.branch
