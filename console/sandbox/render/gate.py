"""What every API request passes: token, rate limits, the API's faults, the count and the record.

Every answer carries the `RateLimit-*` headers; an answer with an error has the API's form of one.
"""

import asyncio
import json
import logging
import secrets
from dataclasses import dataclass, field

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from console.sandbox.render.api_faults import ApiFault, ApiFaults
from console.sandbox.render.identity import random_text
from console.sandbox.render.ledger import Ledger
from console.sandbox.render.limits import RateLimits
from console.sandbox.render.recorder import Exchange, Recorder

_MOST_BODY = 2**20
_HANG_SECONDS = 30.0
_PARAMETERS = {
    "owners": "ownerId",
    "services": "serviceId",
    "deploys": "deployId",
    "env-vars": "envVarKey",
    "events": "eventId",
    "postgres": "postgresId",
    "projects": "projectId",
    "environments": "environmentId",
}

Headers = list[tuple[bytes, bytes]]

_log = logging.getLogger(__name__)


@dataclass(slots=True)
class Answer:
    """A complete answer, before it is sent."""

    status: int = 0
    headers: Headers = field(default_factory=list)
    body: bytes = b""

    async def take(self, message: Message) -> None:
        """An ASGI `send` that keeps what is sent."""
        if message["type"] == "http.response.start":
            self.status, self.headers = message["status"], list(message.get("headers", []))
        else:
            self.body += message.get("body", b"")

    async def send(self, send: Send, more: Headers) -> None:
        """Send the answer with further headers."""
        headers = [*self.headers, *more]
        await send({"type": "http.response.start", "status": self.status, "headers": headers})
        await send({"type": "http.response.body", "body": self.body})


def error_answer(status: int, message: str) -> Answer:
    """An answer in the API's form of an error."""
    body = json.dumps({"id": random_text(20), "message": message}).encode()
    headers = [(b"content-type", b"application/json"), (b"content-length", b"%d" % len(body))]
    return Answer(status, headers, body)


class Gate:
    """Wraps the API's application; WebSocket requests are only counted here."""

    def __init__(
        self, app: ASGIApp, token: str, limits: RateLimits, faults: ApiFaults, ledger: Ledger, recorder: Recorder
    ) -> None:
        self._app = app
        self._token = token
        self._limits = limits
        self._faults = faults
        self._ledger = ledger
        self._recorder = recorder
        self._closing = asyncio.Event()

    def close(self) -> None:
        """Let go of the requests that hang."""
        self._closing.set()

    def authorized(self, scope: Scope) -> bool:
        """Whether a request bears the workspace's token."""
        given = dict(scope["headers"]).get(b"authorization", b"")
        return secrets.compare_digest(given, f"Bearer {self._token}".encode())

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Let one request pass, or not."""
        if not scope["path"].startswith("/v1/") or scope["type"] == "websocket":
            if scope["type"] == "websocket":
                self._ledger.count_request("GET", route_of(scope["path"]))
            await self._app(scope, receive, send)
            return
        body = await _read_body(receive)
        allowance = self._limits.take(scope["method"], scope["path"])
        self._ledger.count_request(scope["method"], route_of(scope["path"]))
        answer: Answer | None
        if not self.authorized(scope):
            answer = error_answer(401, "unauthorized")
        elif not allowance.passed:
            answer = error_answer(429, "rate limit exceeded")
        elif body is None:
            answer = error_answer(400, "the request body is too large")
        else:
            answer = await self._answer(scope, body, receive)
        self._record(scope, body or b"", answer)
        if answer is not None:
            await answer.send(send, allowance.headers())

    async def _answer(self, scope: Scope, body: bytes, receive: Receive) -> Answer | None:
        """The application's answer, or what a fault makes of it; None when the client hung up."""
        fault = self._faults.next(scope["method"], scope["path"])
        if fault is None:
            return await self._work(scope, body)
        if fault.after_work:
            await self._work(scope, body)
        if fault.kind == "hang" and not await self._hang(receive):
            return None
        return _fault_answer(fault)

    async def _work(self, scope: Scope, body: bytes) -> Answer:
        answer = Answer()

        async def receive() -> Message:
            return {"type": "http.request", "body": body, "more_body": False}

        try:
            await self._app(scope, receive, answer.take)
        except Exception:
            _log.exception("%s %s broke", scope["method"], scope["path"])
            return error_answer(500, "internal server error")
        return answer

    async def _hang(self, receive: Receive) -> bool:
        """Wait thirty seconds, or until the client hangs up; whether it is still there."""
        gone = asyncio.ensure_future(_disconnected(receive))
        closing = asyncio.ensure_future(self._closing.wait())
        try:
            done, _ = await asyncio.wait({gone, closing}, timeout=_HANG_SECONDS, return_when=asyncio.FIRST_COMPLETED)
            return gone not in done
        finally:
            gone.cancel()
            closing.cancel()

    def _record(self, scope: Scope, body: bytes, answer: Answer | None) -> None:
        query = scope["query_string"].decode("latin-1")
        status, response = (None, b"") if answer is None else (answer.status, answer.body)
        self._recorder.record(Exchange(scope["method"], scope["path"], query, body, status, response))


def route_of(path: str) -> str:
    """A path with names in place of the ids: `/services/{serviceId}/deploys`."""
    parts = path.removeprefix("/v1").split("/")
    for place in range(1, len(parts)):
        name = _PARAMETERS.get(parts[place - 1])
        if name is not None:
            parts[place] = f"{{{name}}}"
    return "/".join(parts)


def _fault_answer(fault: ApiFault) -> Answer:
    words = {429: "rate limit exceeded", 502: "bad gateway", 503: "service unavailable"}
    answer = error_answer(fault.status, words.get(fault.status, "internal server error"))
    if fault.kind == "refuse":
        answer.headers.append((b"retry-after", b"1"))
    return answer


async def _read_body(receive: Receive) -> bytes | None:
    """The whole body, or None when it is larger than anything the API takes."""
    body = b""
    while True:
        message = await receive()
        chunk: bytes = message.get("body", b"")
        body += chunk
        if len(body) > _MOST_BODY:
            return None
        if not message.get("more_body", False):
            return body


async def _disconnected(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass
