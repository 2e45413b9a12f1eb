"""Services and their deploys at Render: the `Hosting` port."""

from datetime import datetime

from console.adapters.render.client import RenderClient
from console.adapters.render.failures import Body, part
from console.adapters.render.models import DEPLOY, DEPLOYS, SERVICE
from console.domain.hosting import Deploy, ServiceInfo
from console.errors import HostingError


class RenderHosting:
    """The `Hosting` port over Render's API."""

    def __init__(self, client: RenderClient) -> None:
        self._client = client

    async def now(self) -> datetime:
        """The provider's time, whole seconds rounded down. Raises HostingError."""
        return await self._client.now()

    async def service(self, service_id: str) -> ServiceInfo:
        """One service. Raises HostingError."""
        return (await self._client.get(SERVICE, _service(service_id), f"service {service_id}")).domain()

    async def deploys(self, service_id: str, *, limit: int = 20) -> tuple[Deploy, ...]:
        """The latest deploys, newest first. Raises HostingError."""
        what = f"the deploys of service {service_id}"
        items = await self._client.pages(DEPLOYS, f"{_service(service_id)}/deploys", what, most=limit)
        return tuple(item.deploy.domain(service_id) for item in items)

    async def deploy(self, service_id: str, deploy_id: str) -> Deploy:
        """One deploy. Raises HostingError."""
        path = f"{_service(service_id)}/deploys/{part(deploy_id)}"
        what = f"deploy {deploy_id} of service {service_id}"
        return (await self._client.get(DEPLOY, path, what)).domain(service_id)

    async def start_deploy(self, service_id: str, commit: str) -> Deploy | None:
        """Deploy a commit; None when the provider queued it without a body (202). Raises HostingError."""
        what = f"deploying commit {commit[:7]} to service {service_id}"
        reply = await self._client.change("POST", f"{_service(service_id)}/deploys", what, {"commitId": commit})
        return None if reply.empty else reply.read(DEPLOY).domain(service_id)

    async def cancel_deploy(self, service_id: str, deploy_id: str) -> Deploy:
        """Cancel a deploy that has not ended. Raises HostingError."""
        path = f"{_service(service_id)}/deploys/{part(deploy_id)}/cancel"
        reply = await self._client.change("POST", path, f"cancelling deploy {deploy_id} of service {service_id}")
        return reply.read(DEPLOY).domain(service_id)

    async def roll_back(self, service_id: str, deploy_id: str) -> Deploy:
        """Serve an earlier build again; its environment variables come with it. Raises HostingError."""
        what = f"rolling service {service_id} back to deploy {deploy_id}"
        reply = await self._client.change("POST", f"{_service(service_id)}/rollback", what, {"deployId": deploy_id})
        return reply.read(DEPLOY).domain(service_id)

    async def set_auto_deploy(self, service_id: str, trigger: str) -> ServiceInfo:
        """Set autodeploy to `commit`, `checksPass` or `off`, and see that the provider has taken it.

        Raises HostingError, also when the answer shows another setting than was asked for.
        """
        what = f"setting autodeploy of service {service_id} to {trigger}"
        # Both settings: the published description knows only the first, and only the second knows checksPass.
        body: Body = {"autoDeploy": "no" if trigger == "off" else "yes", "autoDeployTrigger": trigger}
        service = (await self._client.change("PATCH", _service(service_id), what, body)).read(SERVICE).domain()
        if service.auto_deploy != trigger:
            raise HostingError(
                f"The provider left autodeploy of service {service_id} at {service.auto_deploy} "
                f"when asked for {trigger}.",
                sent=True,
                production=f"Autodeploy of {service.name} is {service.auto_deploy}.",
                remedy="Set it in the service's settings in the dashboard.",
            )
        return service


def _service(service_id: str) -> str:
    return f"/services/{part(service_id)}"
