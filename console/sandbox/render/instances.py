"""The running instances of the services: started from a checkout, switched over to, stopped.

A service has at most one live instance; users are never without one while another takes its place.
"""

import asyncio
import logging
import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from console.sandbox.contracts import Apps, RunningApp
from console.sandbox.render.edge import Edge, Target
from console.sandbox.render.identity import new_instance_id
from console.sandbox.render.ledger import Ledger
from console.sandbox.render.log_store import LogStore
from console.sandbox.render.state import Deploy, Service

_HEALTH_TIMEOUT = 60.0
_DRAIN_TIMEOUT = 5.0
_PROBE_TIMEOUT = 2.0
_LEVELS = (
    ("error", re.compile(r'\b(?:ERROR|FATAL|PANIC|CRITICAL)\b|"level":\s*"(?:error|fatal)"')),
    ("warning", re.compile(r'\bWARN(?:ING)?\b|"level":\s*"warn')),
    ("debug", re.compile(r'\bDEBUG\b|"level":\s*"debug"')),
)

_log = logging.getLogger(__name__)


class InstanceUnhealthyError(Exception):
    """A started instance did not pass its health check in time."""


@dataclass(frozen=True, slots=True)
class Instance:
    """A started instance of one deploy."""

    id: str
    service: Service
    deploy: Deploy
    app: RunningApp
    target: Target


class Instances:
    """Starts and stops instances, and knows which one is live."""

    def __init__(self, apps: Apps, edge: Edge, logs: LogStore, ledger: Ledger, source_root: Path) -> None:
        self._apps = apps
        self._edge = edge
        self._logs = logs
        self._ledger = ledger
        self._root = source_root
        self._live: dict[str, Instance] = {}
        self._reviving: dict[str, asyncio.Task[None]] = {}
        self._retiring: set[asyncio.Task[None]] = set()

    def live(self, service_id: str) -> Instance | None:
        """The instance that serves a service's users, or None."""
        return self._live.get(service_id)

    async def launch(self, service: Service, deploy: Deploy) -> Instance:
        """Start an instance of a deploy and wait until it is healthy.

        Raises InstanceUnhealthyError when it is not within a minute; it has been stopped then.
        """
        if deploy.checkout is None:
            raise InstanceUnhealthyError("nothing has been built for this deploy")
        instance_id = new_instance_id(service.id)
        starting = asyncio.ensure_future(
            self._apps.start(
                role=service.role,
                root=self._root / deploy.checkout,
                env={**(deploy.env or {}), **_platform_env(service, deploy, instance_id)},
                on_line=self._line_writer(service.id, instance_id),
            )
        )
        try:
            app = await asyncio.shield(starting)
            healthy = await app.healthy(_HEALTH_TIMEOUT)
        except BaseException:
            # Cancelled in the midst of it: what has been started must not be left behind.
            await (await starting).stop()
            raise
        if not healthy:
            await app.stop()
            raise InstanceUnhealthyError(f"no healthy answer within {_HEALTH_TIMEOUT:.0f} seconds")
        return Instance(instance_id, service, deploy, app, Target(instance_id, app.port))

    def promote(self, instance: Instance) -> None:
        """Make an instance the live one; the one that it replaces is stopped once it has no more to answer."""
        former = self._live.get(instance.service.id)
        self._live[instance.service.id] = instance
        self._edge.switch(instance.service.id, instance.target)
        if former is not None:
            task = asyncio.create_task(self._retire(former))
            self._retiring.add(task)
            task.add_done_callback(self._retiring.discard)

    async def take_down(self, service_id: str) -> None:
        """Leave a service without an instance."""
        self._edge.switch(service_id, None)
        instance = self._live.pop(service_id, None)
        if instance is not None:
            await self._retire(instance)

    async def restart(self, service: Service) -> None:
        """Replace the live instance by a fresh one of the same deploy, with the same variables."""
        deploy = self._ledger.state.live_deploy(service)
        if deploy is None or service.suspended:
            return
        try:
            instance = await self.launch(service, deploy)
        except InstanceUnhealthyError as error:
            self._ledger.event(service.id, "server_failed", {"reason": _failure(str(error))})
            raise
        if service.suspended:
            await instance.app.stop()
            return
        self.promote(instance)
        self._ledger.event(service.id, "server_available")
        self._ledger.save()

    async def start_live(self) -> None:
        """Start an instance of every live deploy; a service whose instance fails stays without one."""
        services = [service for service in self._ledger.state.services.values() if not service.suspended]
        await asyncio.gather(*(self._start_again(service) for service in services))

    def suspect(self, service_id: str) -> None:
        """Look whether a service's instance is dead, and replace it if so."""
        if service_id in self._live and service_id not in self._reviving:
            task = asyncio.create_task(self._revive(self._live[service_id]))
            self._reviving[service_id] = task
            task.add_done_callback(lambda _: self._reviving.pop(service_id, None))

    async def stop_all(self) -> None:
        """Stop every instance; they stay the live ones for the next start."""
        reviving = list(self._reviving.values())
        for task in reviving:
            task.cancel()
        await asyncio.gather(*reviving, *self._retiring, return_exceptions=True)
        instances = list(self._live.values())
        self._live.clear()
        for instance in instances:
            self._edge.switch(instance.service.id, None)
        await asyncio.gather(*(instance.app.stop() for instance in instances))

    async def _retire(self, instance: Instance) -> None:
        if not await instance.target.drained(_DRAIN_TIMEOUT):
            _log.warning("instance %s is stopped with requests under way", instance.id)
        await instance.app.stop()

    async def _revive(self, instance: Instance) -> None:
        if not await instance.app.healthy(_PROBE_TIMEOUT):
            self._ledger.event(instance.service.id, "server_failed", {"instanceID": instance.id})
            await self._start_again(instance.service)

    async def _start_again(self, service: Service) -> None:
        try:
            await self.restart(service)
        except InstanceUnhealthyError:
            _log.exception("no instance of %s could be started", service.name)

    def _line_writer(self, service_id: str, instance_id: str) -> Callable[[str], None]:
        def write(line: str) -> None:
            level = next((level for level, pattern in _LEVELS if pattern.search(line)), "info")
            labels = {"resource": service_id, "instance": instance_id, "type": "app", "level": level}
            self._logs.append(line, labels)

        return write


def _platform_env(service: Service, deploy: Deploy, instance_id: str) -> dict[str, str]:
    """The variables that the provider itself sets for every instance."""
    return {
        "COMMIT": deploy.commit.id,
        "RENDER": "true",
        "RENDER_GIT_COMMIT": deploy.commit.id,
        "RENDER_GIT_BRANCH": service.branch,
        "RENDER_SERVICE_ID": service.id,
        "RENDER_SERVICE_NAME": service.name,
        "RENDER_INSTANCE_ID": instance_id,
        "RENDER_EXTERNAL_URL": f"http://127.0.0.1:{service.public_port}",
    }


def _failure(text: str) -> dict[str, object]:
    return {"evicted": False, "unhealthy": text}
