"""The supervisor's own small HTTP server: a world can be asked what happened in it, kept alive, and ended.

Loopback only, with a bearer token that stands in the world's private files.
"""

import asyncio
import secrets
import time
from collections.abc import Awaitable, Callable

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route
from starlette.types import ASGIApp, Receive, Scope, Send

from console.errors import SandboxError
from console.sandbox.world_report import JsonObject


class Attendance:
    """When a console was last heard of."""

    def __init__(self) -> None:
        self._heard = time.monotonic()

    @property
    def idle_seconds(self) -> float:
        """Seconds since then."""
        return time.monotonic() - self._heard

    def hear(self) -> None:
        """A console was heard of now."""
        self._heard = time.monotonic()


class Control:
    """What a client of the supervisor can do; `ended` is set when it asked for the end."""

    def __init__(self, report: Callable[[], Awaitable[JsonObject]], token: str, attendance: Attendance) -> None:
        self.ended = asyncio.Event()
        self._report = report
        self._attendance = attendance
        self._token = token

    def application(self) -> ASGIApp:
        """The ASGI application; without the token it answers 401."""
        routes = [
            Route("/world", self.world, methods=["GET"]),
            Route("/touch", self.touch, methods=["POST"]),
            Route("/down", self.down, methods=["POST"]),
        ]
        return _Guarded(Starlette(routes=routes), self._token)

    async def world(self, request: Request) -> Response:
        """What happened in the world."""
        self._attendance.hear()
        try:
            return JSONResponse(await self._report())
        except SandboxError as error:
            return JSONResponse({"error": error.message}, 503)

    async def touch(self, request: Request) -> Response:
        """A sign of life."""
        self._attendance.hear()
        return JSONResponse({"ok": True})

    async def down(self, request: Request) -> Response:
        """End the world."""
        self.ended.set()
        return JSONResponse({"ok": True}, 202)


class _Guarded:
    def __init__(self, app: ASGIApp, token: str) -> None:
        self._app = app
        self._expected = f"Bearer {token}".encode()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http":
            given = dict(scope["headers"]).get(b"authorization", b"")
            if not secrets.compare_digest(given, self._expected):
                await Response(status_code=401)(scope, receive, send)
                return
            await self._app(scope, receive, send)
