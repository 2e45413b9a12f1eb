"""The switches that a rollback throws at a service of Render: variables, maintenance mode, suspension.

What always holds: the value of a variable is a secret, and appears in no message.
"""

from datetime import datetime

from console.adapters.render.client import PAGE, RenderClient
from console.adapters.render.connections import Connections, Learn, place_of
from console.adapters.render.failures import Body, part
from console.adapters.render.models import ENV_VAR, ENV_VARS, EVENTS, SERVICE, EnvVar, ServiceEvent
from console.adapters.render.times import rfc3339
from console.domain.hosting import DatabasePlace, ServiceInfo
from console.errors import HostingError


class RenderSwitches:
    """The `Switches` port over Render's API, and what else can be switched there. Raises HostingError.

    `learn` is told every connection string that is read, before it is used.
    """

    def __init__(self, client: RenderClient, learn: Learn) -> None:
        self._client = client
        self._learn = learn
        self._connections = Connections(client, learn)

    async def database_of(self, service_id: str, variable: str) -> DatabasePlace:
        """Where the connection string in an environment variable leads.

        It is what the next deploy uses; the running one uses it if the variable was set before it began.
        """
        value = (await self.env_var(service_id, variable)).value
        self._learn(value)
        return place_of(value, f"{variable} of service {service_id}")

    async def point_at(self, service_id: str, variable: str, postgres_id: str) -> DatabasePlace:
        """Set the variable to an instance's internal connection string; it takes effect with the next deploy.

        Raises HostingError, also when the provider's answer shows another value than was set.
        """
        info = await self._connections.of(postgres_id)
        place = place_of(info.internal, f"The internal connection string of database {postgres_id}")
        taken = await self.set_env_var(service_id, variable, info.internal)
        self._learn(taken.value)
        if taken.value != info.internal:
            raise HostingError(
                f"The provider did not take the new value of {variable} of service {service_id}.",
                sent=True,
                production=f"It is not known which database service {service_id} uses from its next deploy on.",
                remedy="Look at the variable in the service's settings in the dashboard before deploying.",
            )
        return place

    async def env_vars(self, service_id: str) -> tuple[EnvVar, ...]:
        """The service's own environment variables; their values are secrets."""
        what = f"the environment variables of service {service_id}"
        items = await self._client.pages(ENV_VARS, f"{_service(service_id)}/env-vars", what)
        return tuple(item.variable for item in items)

    async def env_var(self, service_id: str, key: str) -> EnvVar:
        """One environment variable; its value is a secret."""
        what = f"the environment variable {key} of service {service_id}"
        return await self._client.get(ENV_VAR, _variable(service_id, key), what)

    async def set_env_var(self, service_id: str, key: str, value: str) -> EnvVar:
        """Set an environment variable; it takes effect with the next deploy, not with a restart."""
        what = f"setting the environment variable {key} of service {service_id}"
        body: Body = {"value": value}
        reply = await self._client.change("PUT", _variable(service_id, key), what, body, hide=(value,))
        return reply.read(ENV_VAR)

    async def set_maintenance(self, service_id: str, enabled: bool, *, page: str = "") -> ServiceInfo:
        """Serve the maintenance page (`page`, or the provider's own) instead of the service, or stop that.

        Raises HostingError, also when the provider's answer shows that it did not.
        """
        what = f"switching maintenance mode of service {service_id} {'on' if enabled else 'off'}"
        body: Body = {"serviceDetails": {"maintenanceMode": {"enabled": enabled, "uri": page}}}
        service = (await self._client.change("PATCH", _service(service_id), what, body)).read(SERVICE).domain()
        if service.maintenance != enabled:
            raise HostingError(
                f"The provider did not switch maintenance mode of service {service_id} {'on' if enabled else 'off'}.",
                sent=True,
                production=f"{service.name} {'serves its users' if enabled else 'shows the maintenance page'} still.",
                remedy="Switch it in the service's settings in the dashboard; static sites have no maintenance mode.",
            )
        return service

    async def suspend(self, service_id: str) -> None:
        """Stop the service; the provider answers before it has stopped."""
        await self._client.change("POST", f"{_service(service_id)}/suspend", f"suspending service {service_id}")

    async def resume(self, service_id: str) -> None:
        """Start a suspended service again; it is deployed anew."""
        await self._client.change("POST", f"{_service(service_id)}/resume", f"resuming service {service_id}")

    async def restart(self, service_id: str) -> None:
        """Restart the service with the environment of its last deploy."""
        await self._client.change("POST", f"{_service(service_id)}/restart", f"restarting service {service_id}")

    async def events(
        self, service_id: str, *, start: datetime | None = None, end: datetime | None = None, most: int = PAGE
    ) -> tuple[ServiceEvent, ...]:
        """What happened to the service in a window, newest first."""
        moments = {"startTime": start, "endTime": end}
        items = await self._client.pages(
            EVENTS,
            f"{_service(service_id)}/events",
            f"the events of service {service_id}",
            {name: rfc3339(moment) for name, moment in moments.items() if moment is not None},
            most=most,
        )
        return tuple(item.event for item in items)


def _service(service_id: str) -> str:
    return f"/services/{part(service_id)}"


def _variable(service_id: str, key: str) -> str:
    return f"{_service(service_id)}/env-vars/{part(key)}"
