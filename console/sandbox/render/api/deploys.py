"""Endpoints of deploys: list, retrieve, create, cancel, roll back."""

from typing import Literal, get_args

from pydantic import BaseModel, ConfigDict
from pydantic.alias_generators import to_camel
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from console.sandbox.contracts import CommitInfo, Source
from console.sandbox.render.api.exchange import ApiError, accepted, in_range, not_found, page, read_body, values
from console.sandbox.render.api.services import service_of
from console.sandbox.render.deployer import Deployer
from console.sandbox.render.ledger import Ledger
from console.sandbox.render.state import Deploy, DeployStatus, Service
from console.sandbox.render.views import Views

_STATUSES = {*get_args(DeployStatus), "pre_deploy_in_progress", "pre_deploy_failed"}


class _Camel(BaseModel):
    model_config = ConfigDict(alias_generator=to_camel)


class DeployRequest(_Camel):
    """The body of `POST /services/{serviceId}/deploys`, all of it optional."""

    clear_cache: Literal["clear", "do_not_clear"] = "do_not_clear"
    commit_id: str | None = None


class RollbackRequest(_Camel):
    """The body of `POST /services/{serviceId}/rollback`."""

    deploy_id: str


class DeploysApi:
    """Reads and starts deploys."""

    def __init__(self, ledger: Ledger, views: Views, source: Source, deployer: Deployer) -> None:
        self._ledger = ledger
        self._views = views
        self._source = source
        self._deployer = deployer

    def routes(self) -> list[Route]:
        """The endpoints' paths, below `/v1`."""
        deploys = "/services/{service_id}/deploys"
        return [
            Route(deploys, self.list_deploys),
            Route(deploys, self.create_deploy, methods=["POST"]),
            Route(deploys + "/{deploy_id}", self.get_deploy),
            Route(deploys + "/{deploy_id}/cancel", self.cancel_deploy, methods=["POST"]),
            Route("/services/{service_id}/rollback", self.roll_back, methods=["POST"]),
        ]

    async def list_deploys(self, request: Request) -> JSONResponse:
        """`GET /services/{serviceId}/deploys`, newest first."""
        service = service_of(request, self._ledger)
        statuses = values(request, "status")
        if unknown := set(statuses) - _STATUSES:
            raise ApiError(400, f"invalid status: {sorted(unknown)[0]!r}")
        found = [
            deploy
            for deploy in self._ledger.state.deploys_of(service.id)
            if (not statuses or deploy.status in statuses)
            and in_range(request, "created", deploy.created_at)
            and in_range(request, "updated", deploy.updated_at)
            and in_range(request, "finished", deploy.finished_at)
        ]
        return page(request, found, lambda deploy: deploy.id, "deploy", self._views.deploy)

    async def get_deploy(self, request: Request) -> JSONResponse:
        """`GET /services/{serviceId}/deploys/{deployId}`."""
        return JSONResponse(self._views.deploy(self._deploy_of(request)))

    async def create_deploy(self, request: Request) -> Response:
        """`POST /services/{serviceId}/deploys`: 201 with the deploy, or 202 and no body when it waits."""
        service = self._deployable(request)
        wish = await read_body(request, DeployRequest)
        deploy = self._deployer.begin(service, await self._commit(service, wish.commit_id), "api")
        if deploy.status == "queued":
            return accepted()
        return JSONResponse(self._views.deploy(deploy), 201)

    async def cancel_deploy(self, request: Request) -> JSONResponse:
        """`POST /services/{serviceId}/deploys/{deployId}/cancel`."""
        deploy = self._deploy_of(request)
        if not self._deployer.cancel(deploy):
            raise ApiError(400, f"deploy {deploy.id} has ended: {deploy.status}")
        return JSONResponse(self._views.deploy(deploy))

    async def roll_back(self, request: Request) -> JSONResponse:
        """`POST /services/{serviceId}/rollback`: an earlier build again, with the variables that it had."""
        service = self._deployable(request)
        wish = await read_body(request, RollbackRequest)
        target = self._ledger.state.deploys.get(wish.deploy_id)
        if target is None or target.service_id != service.id:
            raise not_found("deploy", wish.deploy_id)
        if target.status not in ("live", "deactivated") or target.checkout is None:
            raise ApiError(400, f"deploy {target.id} was never live: {target.status}")
        env = dict(target.env or {})
        deploy = self._deployer.begin(service, target.commit, "rollback", built_by=target, env=env)
        return JSONResponse(self._views.deploy(deploy), 201)

    def _deployable(self, request: Request) -> Service:
        service = service_of(request, self._ledger)
        if service.suspended:
            raise ApiError(400, f"service {service.name} is suspended")
        return service

    def _deploy_of(self, request: Request) -> Deploy:
        service = service_of(request, self._ledger)
        deploy = self._ledger.state.deploys.get(request.path_params["deploy_id"])
        if deploy is None or deploy.service_id != service.id:
            raise not_found("deploy", request.path_params["deploy_id"])
        return deploy

    async def _commit(self, service: Service, wished: str | None) -> CommitInfo:
        revision = wished or await self._source.head(service.branch)
        if revision is None:
            raise ApiError(400, f"branch {service.branch!r} does not exist")
        commit = await self._source.commit(revision)
        if commit is None:
            raise ApiError(400, f"commit {revision!r} does not exist")
        return commit
