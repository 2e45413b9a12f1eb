"""One line on stdout for each request: `GET /api/accounts?status=active 200 31ms`."""

import time

from starlette.types import ASGIApp, Message, Receive, Scope, Send


class AccessLog:
    """ASGI middleware that prints a request's line once its answer has been sent."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on; its line is printed even when the application fails."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        started = time.perf_counter()
        status = 500

        async def watch(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
            await send(message)

        try:
            await self._app(scope, receive, watch)
        finally:
            elapsed = (time.perf_counter() - started) * 1000
            print(f"{scope['method']} {shown_path(scope)} {status} {elapsed:.0f}ms", flush=True)


def shown_path(scope: Scope) -> str:
    """A request's path and query as they were sent, so that a line break in them stays encoded."""
    path: str = scope["raw_path"].decode("latin-1")
    query: str = scope["query_string"].decode("latin-1")
    return f"{path}?{query}" if query else path
