"""The Render stand-in: wires its parts together, and starts and stops them in the caller's event loop.

It listens on the loopback interface only. What it has answered outlives it: a new one on the same folder
goes on where the last one stood, with the live instances started again from their builds.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Coroutine
from contextlib import AsyncExitStack
from functools import partial
from pathlib import Path
from types import TracebackType
from typing import Self

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Mount, WebSocketRoute

from console.errors import SandboxError
from console.sandbox.contracts import Apps, Databases, Faults, Pace, Source
from console.sandbox.render.api.deploys import DeploysApi
from console.sandbox.render.api.downloads import Downloads
from console.sandbox.render.api.env_vars import EnvVarsApi
from console.sandbox.render.api.exchange import ApiError, error_response
from console.sandbox.render.api.log_stream import LogStream
from console.sandbox.render.api.logs import LogsApi
from console.sandbox.render.api.metrics import MetricsApi
from console.sandbox.render.api.postgres import PostgresApi
from console.sandbox.render.api.services import ServicesApi
from console.sandbox.render.api.workspace import WorkspaceApi
from console.sandbox.render.api_faults import ApiFaults
from console.sandbox.render.autodeploy import AutoDeploy
from console.sandbox.render.birth import newborn
from console.sandbox.render.builds import Builder
from console.sandbox.render.deploy_faults import DeployFaults
from console.sandbox.render.deployer import Deployer
from console.sandbox.render.edge import Edge
from console.sandbox.render.exports import Exports
from console.sandbox.render.gate import Gate
from console.sandbox.render.http_server import HOST, LoopbackServer
from console.sandbox.render.instances import Instances
from console.sandbox.render.ledger import Ledger
from console.sandbox.render.limits import RateLimits
from console.sandbox.render.log_store import LogStore
from console.sandbox.render.new_instances import NewInstances
from console.sandbox.render.recorder import Recorder
from console.sandbox.render.samples import Sampler, Samples
from console.sandbox.render.seed import WorldSeed
from console.sandbox.render.state import JsonObject, Service, StateFile
from console.sandbox.render.traffic import Traffic
from console.sandbox.render.views import Views
from console.sandbox.render.world_report import report

_SAVE_EVERY = 1.0

_log = logging.getLogger(__name__)


class StandInStartError(SandboxError):
    """The workspace could not be brought up: a service has no live instance."""


class RenderStandIn:
    """The provider's API, its builds, its edge and its log, for one workspace.

    `seed` counts when `state_dir` is new; `port` is the API's, otherwise the one of the last time or any free
    one. Use it between `start` and `stop`, or as an asynchronous context manager.
    """

    def __init__(
        self,
        seed: WorldSeed,
        source: Source,
        apps: Apps,
        databases: Databases,
        faults: Faults,
        pace: Pace,
        state_dir: Path,
        port: int | None = None,
    ) -> None:
        state_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
        file = StateFile(state_dir / "state.json")
        self._seed = seed
        self._source = source
        self._port = port
        self._ledger = Ledger(file.load() or newborn(seed, faults), file)
        self._logs = LogStore(state_dir)
        self._traffic = Traffic()
        self._recorder = Recorder(state_dir)
        self._samples = Samples()
        self._views = Views(seed, self._ledger.state, source.url)
        self._edge = Edge(self._logs, self._traffic, lambda service_id: self._instances.suspect(service_id))
        self._instances = Instances(apps, self._edge, self._logs, self._ledger, state_dir)
        builder = Builder(source, self._logs, pace, state_dir)
        self._mishaps = mishaps = DeployFaults(faults, self._ledger, source)
        self._deployer = Deployer(self._ledger, builder, self._instances, mishaps, pace, seed.overlap)
        self._autodeploy = AutoDeploy(self._ledger, source, self._deployer, mishaps)
        self._exports = Exports(self._ledger, databases, faults, pace, state_dir)
        self._new_instances = NewInstances(self._ledger, databases, faults, pace)
        self._sampler = Sampler(self._samples, self._ledger, self._instances, databases, pace)
        self._gate = Gate(
            self._application(databases, faults, pace),
            seed.token,
            RateLimits(),
            ApiFaults(faults),
            self._ledger,
            self._recorder,
        )
        self._servers = (LoopbackServer(self._gate), LoopbackServer(self._edge))
        self._watching: list[asyncio.Task[None]] = []

    @property
    def url(self) -> str:
        """The API's base URL, ending in `/v1`."""
        return f"{self._views.base_url}/v1"

    @property
    def token(self) -> str:
        """The bearer token that the API asks for."""
        return self._seed.token

    async def start(self) -> None:
        """Listen, bring every service to life, and go on with what the last stop interrupted.

        Raises OSError when a port is taken, StandInStartError when a service of a new workspace does not
        come to life; nothing is left running then.
        """
        try:
            await self._start()
        except BaseException:
            await self.stop()
            raise

    async def stop(self) -> None:
        """Stop everything, keeping the state for the next start. May be called twice."""
        for task in self._watching:
            task.cancel()
        await asyncio.gather(*self._watching, return_exceptions=True)
        self._watching.clear()
        async with AsyncExitStack() as parts:
            # The last one here is the first to stop, and one that fails keeps none of the others from it.
            parts.callback(self._recorder.close)
            parts.callback(self._logs.close)
            parts.callback(self._ledger.save)
            parts.push_async_callback(self._edge.aclose)
            parts.push_async_callback(self._instances.stop_all)
            parts.push_async_callback(_together, *(server.stop for server in self._servers))
            parts.callback(self._gate.close)
            for part in (self._new_instances, self._exports, self._deployer):
                parts.push_async_callback(part.stop)

    async def branch_moved(self, branch: str) -> None:
        """Tell that a branch was pushed; when this returns, the deploys that it triggers exist."""
        await self._autodeploy.branch_moved(branch)

    def world_report(self) -> JsonObject:
        """What happened in this world, JSON-ready."""
        return report(self._ledger.state, self._seed)

    async def __aenter__(self) -> Self:
        await self.start()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.stop()

    async def _start(self) -> None:
        state = self._ledger.state
        self._logs.open()
        self._recorder.open()
        for entry in self._logs.requests():
            self._traffic.record(entry)
        api, edge = self._servers
        state.api_port = (await api.start([self._port or state.api_port or 0]))[0]
        self._views.base_url = f"http://{HOST}:{state.api_port}"
        for service in state.services.values():
            self._edge.publish(service)
        await edge.start([service.public_port for service in state.services.values()])
        self._ledger.save()
        await self._new_instances.settle()
        await self._instances.start_live()
        self._deployer.resume()
        await _together(*(partial(self._bring_to_life, service) for service in state.services.values()))
        self._exports.resume()
        self._watch(self._autodeploy.watch())
        self._watch(self._sampler.run())
        self._watch(self._save_regularly())

    async def _bring_to_life(self, service: Service) -> None:
        """Deploy a new service's branch for the first time; nothing for one that has been live."""
        if service.live_deploy is not None:
            return
        service.seen_head = await self._source.head(service.branch)
        head = service.seen_head or await self._source.head(self._seeded_branch(service))
        commit = await self._source.commit(head) if head else None
        if commit is None:
            raise StandInStartError(f"{service.name}: branch {service.branch!r} has no commit to deploy")
        waiting = next(self._ledger.state.deploys_of(service.id), None)
        if waiting is None or waiting.finished_at is not None:
            waiting = self._deployer.begin(service, commit, "deployed_by_render", initial=True)
        await self._deployer.finished(waiting)
        if waiting.status != "live":
            raise StandInStartError(f"{service.name}: its first deploy ended as {waiting.status}")

    def _seeded_branch(self, service: Service) -> str:
        return next(seed.branch for seed in self._seed.services if seed.id == service.id)

    def _watch(self, work: Coroutine[None, None, None]) -> None:
        task = asyncio.create_task(work)
        task.add_done_callback(_report_failure)
        self._watching.append(task)

    async def _save_regularly(self) -> None:
        """Make the counters durable, which alone are not saved with each change."""
        while True:
            await asyncio.sleep(_SAVE_EVERY)
            self._ledger.save()

    def _application(self, databases: Databases, faults: Faults, pace: Pace) -> Starlette:
        """The API behind the gate."""
        ledger, views = self._ledger, self._views
        stream = LogStream(ledger, self._logs, faults, lambda scope: self._gate.authorized(scope))
        routes: list[BaseRoute] = [
            *WorkspaceApi(ledger.state, views).routes(),
            *ServicesApi(ledger, views, self._source, self._instances, self._deployer, self._mishaps).routes(),
            *DeploysApi(ledger, views, self._source, self._deployer).routes(),
            *EnvVarsApi(ledger).routes(),
            *LogsApi(ledger, self._logs).routes(),
            *MetricsApi(ledger, self._traffic, self._samples, pace).routes(),
            *PostgresApi(ledger, views, databases, self._exports, self._new_instances).routes(),
            WebSocketRoute("/logs/subscribe", stream),
        ]
        application = Starlette(
            routes=[Mount("/v1", routes=routes), *Downloads(self._exports).routes()],
            exception_handlers={ApiError: _api_error, HTTPException: _http_error},
        )
        application.router.redirect_slashes = False
        return application


async def _together(*work: Callable[[], Awaitable[None]]) -> None:
    """Do things side by side, all of them to their end; then raise what the first of them raised, if any."""
    for outcome in await asyncio.gather(*(one() for one in work), return_exceptions=True):
        if outcome is not None:
            raise outcome


def _report_failure(task: asyncio.Task[None]) -> None:
    error = None if task.cancelled() else task.exception()
    if error is not None:
        _log.error("a part of the stand-in ended", exc_info=error)


async def _api_error(request: Request, error: Exception) -> Response:
    status = error.status if isinstance(error, ApiError) else 500
    return error_response(status, str(error))


async def _http_error(request: Request, error: Exception) -> Response:
    """What no endpoint answers: 404, and 501 for a method that the provider has and this server has not."""
    status = error.status_code if isinstance(error, HTTPException) else 500
    if status == 405:
        return error_response(501, f"{request.method} {request.url.path} is not part of the rehearsal")
    return error_response(status, f"no such endpoint: {request.url.path}")
