"""The CRM's frontend: the release's page and its files, and everything under `/api` passed on to the backend."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import httpx
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import FileResponse, HTMLResponse, JSONResponse, Response
from starlette.routing import Route

from console.sandbox.crm_app.access_log import AccessLog, shown_path

_BACKEND_TIMEOUT_S = 30.0
_COMMIT_MARK = "%COMMIT%"
_METHODS = ["GET", "POST", "PATCH", "DELETE"]


class Frontend:
    """The pages of the checkout `root`, and a way through to `backend_url`."""

    def __init__(self, root: Path, backend_url: str, commit: str) -> None:
        self._folder = root / "frontend"
        self._page = (self._folder / "index.html").read_text().replace(_COMMIT_MARK, commit)
        self._files = {path.name: path for path in (self._folder / "src").iterdir()}
        self._commit = commit
        self._backend = httpx.AsyncClient(base_url=backend_url, timeout=_BACKEND_TIMEOUT_S, trust_env=False)

    def application(self) -> Starlette:
        """The ASGI application."""
        return Starlette(
            routes=[
                Route("/", self.page),
                Route("/health", self.health),
                Route("/src/{name}", self.file),
                Route("/api/{path:path}", self.pass_on, methods=_METHODS),
            ],
            middleware=[Middleware(AccessLog)],
            lifespan=self._lifespan,
        )

    async def page(self, request: Request) -> Response:
        """The one page; it names the commit it was built from."""
        return HTMLResponse(self._page)

    async def health(self, request: Request) -> Response:
        """The server runs, and of which commit."""
        return JSONResponse({"status": "ok", "commit": self._commit})

    async def file(self, request: Request) -> Response:
        """A script or style sheet of the release."""
        path = self._files.get(request.path_params["name"])
        return Response(status_code=404) if path is None else FileResponse(path)

    async def pass_on(self, request: Request) -> Response:
        """The backend's answer, or 502 when it gives none."""
        kind = {"content-type": request.headers["content-type"]} if "content-type" in request.headers else {}
        try:
            answer = await self._backend.request(
                request.method, shown_path(request.scope), content=await request.body(), headers=kind
            )
        except httpx.TransportError as failed:
            print(f"ERROR {request.method} {shown_path(request.scope)} backend: {type(failed).__name__}", flush=True)
            return JSONResponse({"error": "the backend does not answer"}, 502)
        return Response(answer.content, answer.status_code, media_type=answer.headers.get("content-type"))

    @asynccontextmanager
    async def _lifespan(self, app: Starlette) -> AsyncIterator[None]:
        yield
        await self._backend.aclose()
