"""Endpoints of services: list, retrieve, update, suspend, resume, restart, instances, events."""

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, StrictBool
from pydantic.alias_generators import to_camel
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from console.sandbox.contracts import Source
from console.sandbox.render.api.exchange import (
    ApiError,
    accepted,
    error_response,
    in_range,
    moment,
    not_found,
    page,
    read_body,
    values,
)
from console.sandbox.render.deploy_faults import DeployFaults
from console.sandbox.render.deployer import Deployer
from console.sandbox.render.instances import Instances, InstanceUnhealthyError
from console.sandbox.render.ledger import Ledger
from console.sandbox.render.seed import AutoDeployTrigger, BuildFilter
from console.sandbox.render.state import UNFINISHED, Service
from console.sandbox.render.times import rfc3339, utc_now
from console.sandbox.render.views import Views


class _Camel(BaseModel):
    model_config = ConfigDict(alias_generator=to_camel)


class _Filter(_Camel):
    paths: list[str]
    ignored_paths: list[str]


class _Maintenance(_Camel):
    enabled: StrictBool
    uri: str


class _Details(_Camel):
    maintenance_mode: _Maintenance | None = None
    health_check_path: str | None = None


class ServicePatch(_Camel):
    """The part of schema `servicePATCH` that means something here."""

    name: Annotated[str, Field(min_length=1)] | None = None
    branch: str | None = None
    auto_deploy: Literal["yes", "no"] | None = None
    auto_deploy_trigger: AutoDeployTrigger | None = None
    root_dir: str | None = None
    build_filter: _Filter | None = None
    service_details: _Details | None = None


class ServicesApi:
    """Reads and changes services."""

    def __init__(
        self,
        ledger: Ledger,
        views: Views,
        source: Source,
        instances: Instances,
        deployer: Deployer,
        faults: DeployFaults,
    ) -> None:
        self._ledger = ledger
        self._views = views
        self._source = source
        self._instances = instances
        self._deployer = deployer
        self._faults = faults

    def routes(self) -> list[Route]:
        """The endpoints' paths, below `/v1`."""
        return [
            Route("/services", self.list_services),
            Route("/services/{service_id}", self.get_service),
            Route("/services/{service_id}", self.update_service, methods=["PATCH"]),
            Route("/services/{service_id}/suspend", self.suspend, methods=["POST"]),
            Route("/services/{service_id}/resume", self.resume, methods=["POST"]),
            Route("/services/{service_id}/restart", self.restart, methods=["POST"]),
            Route("/services/{service_id}/instances", self.list_instances),
            Route("/services/{service_id}/events", self.list_events),
            Route("/events/{event_id}", self.get_event),
        ]

    async def list_services(self, request: Request) -> JSONResponse:
        """`GET /services`."""
        found = [service for service in self._ledger.state.services.values() if self._asked(request, service)]
        return page(request, found, lambda service: service.id, "service", self._views.service)

    async def get_service(self, request: Request) -> JSONResponse:
        """`GET /services/{serviceId}`."""
        return JSONResponse(self._views.service(service_of(request, self._ledger)))

    async def update_service(self, request: Request) -> JSONResponse:
        """`PATCH /services/{serviceId}`: in force at once, but for what only a deploy can bring."""
        service = service_of(request, self._ledger)
        patch = await read_body(request, ServicePatch)
        if patch.branch is not None and patch.branch != service.branch:
            head = await self._source.head(patch.branch)
            if head is None:
                raise ApiError(400, f"branch {patch.branch!r} does not exist")
            # Tracking another branch deploys nothing by itself; its next push does.
            service.branch, service.seen_head = patch.branch, head
        self._switch_autodeploy(service, patch)
        service.name = patch.name or service.name
        if patch.root_dir is not None:
            service.root_dir = patch.root_dir
        if patch.build_filter is not None:
            included, ignored = patch.build_filter.paths, patch.build_filter.ignored_paths
            service.build_filter = BuildFilter(tuple(included), tuple(ignored))
        if patch.service_details is not None:
            self._update_details(service, patch.service_details)
        self._touch(service)
        return JSONResponse(self._views.service(service))

    async def suspend(self, request: Request) -> Response:
        """`POST /services/{serviceId}/suspend`: no instance, no deploys, until it is resumed."""
        service = service_of(request, self._ledger)
        if not service.suspended:
            service.suspended = True
            self._touch(service)
            for deploy in self._ledger.state.deploys_of(service.id):
                if deploy.status in UNFINISHED:
                    self._deployer.cancel(deploy)
            await self._instances.take_down(service.id)
            self._ledger.event(service.id, "service_suspended")
            self._ledger.event(service.id, "suspender_added", {"actor": "user"})
            self._ledger.save()
        return accepted()

    async def resume(self, request: Request) -> Response:
        """`POST /services/{serviceId}/resume`: the last live build, with the variables of now."""
        service = service_of(request, self._ledger)
        if service.suspended:
            service.suspended = False
            self._touch(service)
            self._ledger.event(service.id, "suspender_removed", {"actor": "user"})
            self._ledger.event(service.id, "service_resumed")
            live = self._ledger.state.live_deploy(service)
            if live is not None:
                self._deployer.begin(service, live.commit, "service_resumed", built_by=live)
        return accepted()

    async def restart(self, request: Request) -> Response:
        """`POST /services/{serviceId}/restart`: a new instance with the variables of the live deploy."""
        service = service_of(request, self._ledger)
        if service.suspended or service.live_deploy is None:
            raise ApiError(400, "the service has no running instance")
        try:
            await self._instances.restart(service)
        except InstanceUnhealthyError as error:
            return error_response(500, f"the new instance is not healthy: {error}")
        self._ledger.event(service.id, "server_restarted", {"triggeredByUser": "user"})
        self._ledger.save()
        return Response(status_code=200)

    async def list_instances(self, request: Request) -> JSONResponse:
        """`GET /services/{serviceId}/instances`."""
        service = service_of(request, self._ledger)
        instance = self._instances.live(service.id)
        live = self._ledger.state.live_deploy(service)
        if instance is None or live is None:
            return JSONResponse([])
        return JSONResponse([{"id": instance.id, "createdAt": rfc3339(live.updated_at)}])

    async def list_events(self, request: Request) -> JSONResponse:
        """`GET /services/{serviceId}/events`, newest first."""
        service = service_of(request, self._ledger)
        start, end, types = moment(request, "startTime"), moment(request, "endTime"), values(request, "type")
        found = [
            event
            for event in reversed(self._ledger.state.events)
            if event.service_id == service.id
            and (not types or event.type in types)
            and (start is None or event.at >= start)
            and (end is None or event.at <= end)
        ]
        return page(request, found, lambda event: event.id, "event", self._views.event)

    async def get_event(self, request: Request) -> JSONResponse:
        """`GET /events/{eventId}`."""
        for event in self._ledger.state.events:
            if event.id == request.path_params["event_id"]:
                return JSONResponse(self._views.event(event))
        raise not_found("event", request.path_params["event_id"])

    def _switch_autodeploy(self, service: Service, patch: ServicePatch) -> None:
        was_off = service.autodeploy == "off"
        if patch.auto_deploy is not None:
            service.autodeploy = "off" if patch.auto_deploy == "no" else "commit"
        service.autodeploy = patch.auto_deploy_trigger or service.autodeploy
        if was_off and service.autodeploy != "off":
            again = self._faults.deployed_again(service)
            if again is not None:
                self._deployer.begin(service, again, "new_commit")

    def _update_details(self, service: Service, details: _Details) -> None:
        service.health_check_path = details.health_check_path or service.health_check_path
        mode = details.maintenance_mode
        if mode is None:
            return
        if mode.enabled != service.maintenance:
            self._ledger.event(service.id, "maintenance_mode_enabled", {"enabled": mode.enabled})
        if mode.uri != service.maintenance_uri:
            uris: dict[str, object] = {"fromURI": service.maintenance_uri, "toURI": mode.uri}
            self._ledger.event(service.id, "maintenance_mode_uri_updated", uris)
        service.maintenance, service.maintenance_uri = mode.enabled, mode.uri

    def _touch(self, service: Service) -> None:
        service.updated_at = utc_now()
        self._ledger.save()

    def _asked(self, request: Request, service: Service) -> bool:
        """Whether a service passes the filters of `GET /services`."""
        shown = self._views.service(service)
        filters = {"name": "name", "type": "type", "ownerId": "ownerId", "environmentId": "environmentId"}
        for parameter, key in filters.items():
            wanted = values(request, parameter)
            if wanted and shown[key] not in wanted:
                return False
        suspended = values(request, "suspended")
        return (
            (not suspended or shown["suspended"] in suspended)
            and in_range(request, "created", service.created_at)
            and in_range(request, "updated", service.updated_at)
        )


def service_of(request: Request, ledger: Ledger) -> Service:
    """The service that the path names; 404 when there is none."""
    service = ledger.state.services.get(request.path_params["service_id"])
    if service is None:
        raise not_found("service", request.path_params["service_id"])
    return service
