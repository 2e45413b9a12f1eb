"""The public side of the services: a reverse proxy in front of whatever instance is live.

Each service keeps its loopback port over all deploys. Every request is answered, logged and counted: by the
live instance, or with 503 in maintenance, suspended or without an instance, or 502 when the instance fails.
"""

import asyncio
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from urllib.parse import quote

import httpx
from starlette.types import Message, Receive, Scope, Send

from console.sandbox.render.identity import random_text
from console.sandbox.render.log_store import LogStore
from console.sandbox.render.state import Service
from console.sandbox.render.traffic import Traffic

_MOST_BODY = 10 * 2**20
_TIMEOUT = httpx.Timeout(60.0, connect=5.0)
# Idle connections are dropped well before an instance would: none is re-used in the moment of its end.
_LIMITS = httpx.Limits(max_connections=None, max_keepalive_connections=20, keepalive_expiry=2.0)
# These belong to one connection, not to the message (RFC 9110, section 7.6.1).
_HOP_BY_HOP = frozenset(
    {b"connection", b"keep-alive", b"proxy-connection", b"te", b"trailer", b"transfer-encoding", b"upgrade"}
)

Headers = list[tuple[bytes, bytes]]


@dataclass(slots=True)
class Target:
    """A running instance as the edge sees it, with the requests that are under way in it."""

    instance_id: str
    port: int
    _in_flight: int = 0
    _idle: asyncio.Event = field(default_factory=asyncio.Event)

    @contextmanager
    def busy(self) -> Iterator[None]:
        """Count a request as under way for the length of the block."""
        self._in_flight += 1
        self._idle.clear()
        try:
            yield
        finally:
            self._in_flight -= 1
            if self._in_flight == 0:
                self._idle.set()

    async def drained(self, timeout: float) -> bool:
        """Wait up to `timeout` seconds for the requests under way to end; whether they did."""
        if self._in_flight == 0:
            return True
        try:
            async with asyncio.timeout(timeout):
                await self._idle.wait()
        except TimeoutError:
            return False
        return True


@dataclass(slots=True)
class _Answer:
    """What was sent to the user so far."""

    send: Send
    status: int = 0
    size: int = 0

    async def __call__(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            self.status = message["status"]
        else:
            self.size += len(message.get("body", b""))
        await self.send(message)

    async def page(self, status: int, text: str) -> None:
        body = f"<!doctype html><title>{text}</title><h1>{text}</h1>\n".encode()
        headers = [(b"content-type", b"text/html; charset=utf-8"), (b"content-length", b"%d" % len(body))]
        await self({"type": "http.response.start", "status": status, "headers": headers})
        await self({"type": "http.response.body", "body": body})


class Edge:
    """An ASGI application for all the public ports; the port decides the service."""

    def __init__(self, logs: LogStore, traffic: Traffic, on_dead: Callable[[str], None]) -> None:
        self._logs = logs
        self._traffic = traffic
        self._on_dead = on_dead
        self._services: dict[int, Service] = {}
        self._targets: dict[str, Target] = {}
        # The environment's proxies are none of these loopback requests' business.
        self._client = httpx.AsyncClient(timeout=_TIMEOUT, limits=_LIMITS, trust_env=False)

    def publish(self, service: Service) -> None:
        """Answer for a service on its public port."""
        self._services[service.public_port] = service

    def switch(self, service_id: str, target: Target | None) -> Target | None:
        """Send a service's users to another instance from now on; the former one is returned."""
        former = self._targets.pop(service_id, None)
        if target is not None:
            self._targets[service_id] = target
        return former

    async def aclose(self) -> None:
        """Close the connections to the instances."""
        await self._client.aclose()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request of a user."""
        service = self._services[scope["server"][1]]
        target = self._targets.get(service.id)
        answer = _Answer(send)
        started = time.perf_counter()
        try:
            await self._answer(service, target, scope, receive, answer)
        finally:
            self._log(service, target, scope, answer, (time.perf_counter() - started) * 1000)

    async def _answer(
        self, service: Service, target: Target | None, scope: Scope, receive: Receive, answer: _Answer
    ) -> None:
        if service.suspended:
            await answer.page(503, "Service suspended")
        elif service.maintenance:
            await answer.page(503, "Down for maintenance")
        elif target is None:
            await answer.page(503, "No instance is running")
        else:
            with target.busy():
                body = await _read_body(receive)
                if len(body) > _MOST_BODY:
                    await answer.page(413, "Request too large")
                else:
                    await self._forward(service, target, scope, body, answer)

    async def _forward(self, service: Service, target: Target, scope: Scope, body: bytes, answer: _Answer) -> None:
        request = httpx.Request(
            scope["method"],
            f"http://127.0.0.1:{target.port}{_raw_target(scope)}",
            headers=[*_passed_on(scope["headers"]), (b"x-forwarded-proto", b"http")],
            content=body or None,
        )
        try:
            response = await self._client.send(request, stream=True)
        except httpx.TransportError as error:
            if isinstance(error, httpx.ConnectError):
                self._on_dead(service.id)
            await answer.page(502, "Bad gateway")
            return
        try:
            headers = _passed_on(response.headers.raw)
            await answer({"type": "http.response.start", "status": response.status_code, "headers": headers})
            async for chunk in response.aiter_raw():
                await answer({"type": "http.response.body", "body": chunk, "more_body": True})
            await answer({"type": "http.response.body", "body": b""})
        finally:
            await response.aclose()

    def _log(self, service: Service, target: Target | None, scope: Scope, answer: _Answer, elapsed_ms: float) -> None:
        headers = dict(scope["headers"])
        host = headers.get(b"host", b"").decode("latin-1")
        # 499: the user hung up before there was an answer.
        status = answer.status or 499
        labels = {
            "resource": service.id,
            "type": "request",
            "level": "error" if status >= 500 else "warning" if status >= 400 else "info",
            "method": scope["method"],
            "statusCode": str(status),
            "host": host,
            "path": scope["path"],
        }
        if target is not None:
            labels["instance"] = target.instance_id
        agent = headers.get(b"user-agent", b"").decode("latin-1")
        message = (
            f"[{scope['method']}]{status} {host}{_raw_target(scope)} "
            f'clientIP="{scope["client"][0]}" requestID="{random_text(16)}" '
            f'responseTimeMS={elapsed_ms:.0f} responseBytes={answer.size} userAgent="{agent}"'
        )
        self._traffic.record(self._logs.append(message, labels, round(elapsed_ms, 3)))


async def _read_body(receive: Receive) -> bytes:
    chunks: list[bytes] = []
    size = 0
    while size <= _MOST_BODY:
        message = await receive()
        chunks.append(message.get("body", b""))
        size += len(chunks[-1])
        if not message.get("more_body", False):
            break
    return b"".join(chunks)


def _passed_on(headers: Headers) -> Headers:
    return [(name, value) for name, value in headers if name.lower() not in _HOP_BY_HOP]


def _raw_target(scope: Scope) -> str:
    path = scope.get("raw_path") or quote(scope["path"]).encode()
    query = scope["query_string"]
    return (path + (b"?" + query if query else b"")).decode("latin-1")
