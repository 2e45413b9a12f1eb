"""The provider's workspace as a world's order wants it: six services, two databases, variables."""

from collections.abc import Mapping

from console.sandbox.contracts import EnvironmentName
from console.sandbox.render.seed import PostgresSeed, ServiceSeed, WorldSeed
from console.sandbox.world_spec import ServiceSpec, WorldSpec

DATABASE_VARIABLE = "DATABASE_URL"
"""The variable in which a backend is given its database."""


def workspace_seed(spec: WorldSpec, database_urls: Mapping[EnvironmentName, str]) -> WorldSeed:
    """The workspace of `spec`; each environment's backend is given its database."""
    return WorldSeed(
        owner_id=spec.owner_id,
        token=spec.render_token,
        services=tuple(_service_seed(spec, one, database_urls[one.environment]) for one in spec.services),
        postgres=(
            PostgresSeed(spec.postgres_id, "crm-db", "production"),
            PostgresSeed(spec.shared_postgres_id, "crm-db-staging", "staging"),
        ),
    )


def _service_seed(spec: WorldSpec, service: ServiceSpec, database_url: str) -> ServiceSeed:
    backend = spec.service(service.environment, "backend")
    return ServiceSeed(
        id=service.id,
        name=service.name,
        environment=service.environment,
        role=service.role,
        branch=service.branch,
        public_port=service.port,
        build_seconds=service.build_seconds,
        env={DATABASE_VARIABLE: database_url} if service.role == "backend" else {"BACKEND_URL": backend.url},
    )
