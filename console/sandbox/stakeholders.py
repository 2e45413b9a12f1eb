"""The receiver of the stakeholders' messages: a mailbox of the world, which counts what really arrived and keeps it.

It takes what Apprise sends to a `json://` address (a POST of JSON with title and message) on a loopback port, under a
path that only the world's overlay knows. What always holds: a message that was answered 200 is in the mailbox, also
after a restart.
"""

import asyncio
import json
import os
import secrets
from collections.abc import Callable
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

_MOST_BYTES = 1 << 20


@dataclass(frozen=True, slots=True)
class Message:
    """A message as it arrived; `at` in UTC, ISO 8601."""

    at: str
    title: str
    text: str


class Stakeholders:
    """The mailbox in `file`; `token` is the path's secret part, `down` says whether it refuses everything now."""

    def __init__(self, file: Path, token: str, down: Callable[[], bool]) -> None:
        self._file = file
        self._token = token
        self._down = down

    def application(self) -> Starlette:
        """The ASGI application."""
        return Starlette(routes=[Route("/{token}", self.receive, methods=["POST"])])

    async def receive(self, request: Request) -> Response:
        """Take one message: 200; 503 while the receiver is down, 404 for another path, 400 for no message."""
        if not secrets.compare_digest(request.path_params["token"].encode(), self._token.encode()):
            return JSONResponse({"error": "no such channel"}, 404)
        if self._down():
            return JSONResponse({"error": "the channel is down"}, 503)
        message = _parse(await _body(request))
        if message is None:
            return JSONResponse({"error": "a message is a JSON object with title and message"}, 400)
        await asyncio.to_thread(self._keep, message)
        return JSONResponse({"ok": True})

    def messages(self) -> tuple[Message, ...]:
        """What arrived, oldest first; a line still being written is left for later."""
        if not self._file.exists():
            return ()
        whole = self._file.read_bytes().rpartition(b"\n")[0]
        return tuple(Message(**json.loads(line)) for line in whole.splitlines())

    def _keep(self, message: Message) -> None:
        line = json.dumps(asdict(message), ensure_ascii=False).encode() + b"\n"
        handle = os.open(self._file, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
        try:
            os.write(handle, line)
            os.fsync(handle)
        finally:
            os.close(handle)


async def _body(request: Request) -> bytes:
    body = b""
    async for chunk in request.stream():
        body += chunk
        if len(body) > _MOST_BYTES:
            return b""
    return body


def _parse(body: bytes) -> Message | None:
    try:
        fields = json.loads(body)
    except ValueError:
        return None
    if not isinstance(fields, dict):
        return None
    title, text = fields.get("title"), fields.get("message")
    if not isinstance(title, str) or not isinstance(text, str):
        return None
    return Message(datetime.now(UTC).isoformat(), title, text)
