"""Endpoints of the workspace: owners, projects and environments, all read-only."""

from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Route

from console.sandbox.render.api.exchange import not_found, page, values
from console.sandbox.render.state import State
from console.sandbox.render.views import Views


class WorkspaceApi:
    """There is one owner, one project, and an environment for each stage."""

    def __init__(self, state: State, views: Views) -> None:
        self._state = state
        self._views = views

    def routes(self) -> list[Route]:
        """The endpoints' paths, below `/v1`."""
        return [
            Route("/owners", self.list_owners),
            Route("/owners/{owner_id}", self.get_owner),
            Route("/users", self.get_user),
            Route("/projects", self.list_projects),
            Route("/projects/{project_id}", self.get_project),
            Route("/environments", self.list_environments),
            Route("/environments/{environment_id}", self.get_environment),
        ]

    async def list_owners(self, request: Request) -> JSONResponse:
        """`GET /owners`."""
        owner = self._views.owner()
        names, emails = values(request, "name"), values(request, "email")
        shown = (not names or owner["name"] in names) and (not emails or owner["email"] in emails)
        owner_id = self._state.owner_id
        return page(request, [owner] if shown else [], lambda _: owner_id, "owner", lambda item: item)

    async def get_owner(self, request: Request) -> JSONResponse:
        """`GET /owners/{ownerId}`."""
        if request.path_params["owner_id"] != self._state.owner_id:
            raise not_found("workspace", request.path_params["owner_id"])
        return JSONResponse(self._views.owner())

    async def get_user(self, request: Request) -> JSONResponse:
        """`GET /users`: whose token it is."""
        owner = self._views.owner()
        return JSONResponse({"email": owner["email"], "name": owner["name"]})

    async def list_projects(self, request: Request) -> JSONResponse:
        """`GET /projects`."""
        project_id = self._state.project_id
        return page(request, [self._views.project()], lambda _: project_id, "project", lambda project: project)

    async def get_project(self, request: Request) -> JSONResponse:
        """`GET /projects/{projectId}`."""
        if request.path_params["project_id"] != self._state.project_id:
            raise not_found("project", request.path_params["project_id"])
        return JSONResponse(self._views.project())

    async def list_environments(self, request: Request) -> JSONResponse:
        """`GET /environments`."""
        projects, names = values(request, "projectId"), values(request, "name")
        found = [
            (name, identity)
            for name, identity in self._state.environments.items()
            if (not projects or self._state.project_id in projects) and (not names or name in names)
        ]
        return page(request, found, lambda item: item[1], "environment", lambda item: self._views.environment(*item))

    async def get_environment(self, request: Request) -> JSONResponse:
        """`GET /environments/{environmentId}`."""
        wanted = request.path_params["environment_id"]
        for name, identity in self._state.environments.items():
            if identity == wanted:
                return JSONResponse(self._views.environment(name, identity))
        raise not_found("environment", wanted)
