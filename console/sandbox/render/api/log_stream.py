"""`GET /logs/subscribe`: new log entries over a WebSocket, one JSON object a message.

The stream promises what it has and no more: it never resumes. A reader that is too slow, and everybody
under the fault `ws-drop`, is cut off without a closing frame and has to read what it missed from `GET /logs`.
"""

import asyncio
import json
from collections.abc import Callable
from itertools import cycle

from starlette.datastructures import QueryParams
from starlette.types import Receive, Scope, Send

from console.sandbox.contracts import Faults
from console.sandbox.render.api.exchange import ApiError
from console.sandbox.render.api.logs import log_query
from console.sandbox.render.gate import Answer, error_answer
from console.sandbox.render.http_server import ABORT
from console.sandbox.render.ledger import Ledger
from console.sandbox.render.log_store import LogStore, Subscription

_DROP_MESSAGES = 40


class LogStream:
    """The endpoint, as a bare ASGI application: it must be able to lose a connection."""

    def __init__(self, ledger: Ledger, logs: LogStore, faults: Faults, authorized: Callable[[Scope], bool]) -> None:
        self._ledger = ledger
        self._logs = logs
        self._faults = faults
        self._authorized = authorized
        self._drop_seconds = cycle((3.0, 2.0, 4.0))

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one subscriber until one side ends it."""
        await receive()
        if not self._authorized(scope):
            await _refuse(send, error_answer(401, "unauthorized"))
            return
        try:
            query = log_query(QueryParams(scope["query_string"]), self._ledger)
        except ApiError as error:
            await _refuse(send, error_answer(error.status, str(error)))
            return
        with self._logs.subscribe(query) as subscription:
            await send({"type": "websocket.accept"})
            await self._stream(subscription, receive, send)

    async def _stream(self, subscription: Subscription, receive: Receive, send: Send) -> None:
        dropping = self._faults.active("ws-drop")
        most = _DROP_MESSAGES if dropping else None
        sender = asyncio.create_task(_send_entries(subscription, send, most))
        reader = asyncio.create_task(_gone(receive))
        timeout = next(self._drop_seconds) if dropping else None
        try:
            done, _ = await asyncio.wait({sender, reader}, timeout=timeout, return_when=asyncio.FIRST_COMPLETED)
            if reader not in done:
                await send(ABORT)
        finally:
            for task in (sender, reader):
                task.cancel()
            # A send to a client that has gone raises: it went, which is all there is to know.
            await asyncio.gather(sender, reader, return_exceptions=True)


async def _send_entries(subscription: Subscription, send: Send, most: int | None) -> None:
    """Send entries until `most` are sent or the reader has fallen too far behind."""
    sent = 0
    async for entry in subscription.entries():
        await send({"type": "websocket.send", "text": json.dumps(entry.shown(), separators=(",", ":"))})
        sent += 1
        if sent == most:
            return


async def _gone(receive: Receive) -> None:
    """Wait until the client closes; what it says before is of no interest."""
    while (await receive())["type"] != "websocket.disconnect":
        pass


async def _refuse(send: Send, answer: Answer) -> None:
    await send({"type": "websocket.http.response.start", "status": answer.status, "headers": answer.headers})
    await send({"type": "websocket.http.response.body", "body": answer.body})
