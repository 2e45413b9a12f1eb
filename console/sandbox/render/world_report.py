"""What really happened in the provider's world, for the summary of a rehearsal: counted here, not believed."""

from console.sandbox.render.seed import WorldSeed
from console.sandbox.render.state import JsonObject, State


def report(state: State, seed: WorldSeed) -> JsonObject:
    """JSON-ready counts and facts of a state; what the workspace was born with (`seed`) does not count."""
    deploys = [deploy for deploy in state.deploys.values() if not deploy.initial]
    return {
        "exports": {
            postgres_id: sum(export.postgres_id == postgres_id for export in state.exports.values())
            for postgres_id in state.postgres
        },
        "deploys_live": [_live(state, service_id) for service_id in state.services],
        "deploys_created": {
            service_id: sum(deploy.service_id == service_id for deploy in deploys) for service_id in state.services
        },
        "rollbacks": sum(deploy.trigger == "rollback" for deploy in deploys),
        "recoveries": sum(postgres.recovered_from is not None for postgres in state.postgres.values()),
        "autodeploy_as_before": all(
            state.services[born.id].autodeploy == born.autodeploy
            for born in seed.services
            if born.environment == "production"
        ),
        "api_requests": dict(sorted(state.api_requests.items())),
    }


def _live(state: State, service_id: str) -> JsonObject:
    service = state.services[service_id]
    live = state.live_deploy(service)
    return {
        "id": service.id,
        "name": service.name,
        "environment": service.environment,
        "role": service.role,
        "deploy": live.id if live else None,
        "commit": live.commit.id if live else None,
    }
