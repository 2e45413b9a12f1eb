"""One WebSocket connection to the live log: lines are taken off the wire at once and handed over in batches.

The reader stops taking when nobody takes from it, so memory stays bounded and the provider feels it.
"""

import asyncio
import functools
import logging
import ssl
from collections.abc import Mapping
from urllib.parse import urlencode, urlsplit

import httpx
from pydantic import ValidationError
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed, InvalidHandshake, InvalidStatus

from console.adapters.render.models import LOG_LINE
from console.domain.hosting import LogEntry
from console.domain.places import host_of, is_loopback

_OPEN_S = 10.0
_PING_S = 20.0
_CLOSE_S = 1.0
_FRAMES = 2048
_WAITING = 20_000
_BATCH = 1_000

# Its DEBUG lines quote the request's headers, and so the API key.
_LOGGER = logging.getLogger("console.log_subscription")
_LOGGER.setLevel(logging.INFO)


class SubscriptionFailed(Exception):
    """The live log cannot be opened; the text says why, without secrets."""


class Subscription:
    """An open connection. `next` gives what has come; None means that it is over, for `reason`."""

    def __init__(self, socket: ClientConnection) -> None:
        self.reason = ""
        self._socket = socket
        self._waiting: list[str | bytes] = []
        self._news = asyncio.Event()
        self._room = asyncio.Event()
        self._room.set()
        self._reader = asyncio.create_task(self._read())
        self._reader.add_done_callback(lambda _: self._news.set())

    @classmethod
    async def open(cls, url: str, headers: Mapping[str, str]) -> "Subscription":
        """Connect. Raises SubscriptionFailed."""
        local = is_loopback(host_of(url))
        failure = ""
        try:
            socket = await connect(
                url,
                additional_headers=headers,
                ssl=_roots() if url.startswith("wss:") else None,
                proxy=None if local else True,
                compression=None,
                open_timeout=_OPEN_S,
                ping_interval=_PING_S,
                ping_timeout=_PING_S,
                close_timeout=_CLOSE_S,
                max_queue=_FRAMES,
                logger=_LOGGER,
            )
            return cls(socket)
        except InvalidStatus as error:
            failure = f"the provider answered {error.response.status_code} to the log subscription"
        except InvalidHandshake:
            failure = "the log subscription was not understood"
        except TimeoutError:
            failure = f"the log subscription did not open within {_OPEN_S:.0f} s"
        except OSError:
            failure = "no connection for the log subscription"
        raise SubscriptionFailed(failure)

    async def next(self, timeout: float) -> list[LogEntry] | None:
        """Lines that have come, in the order of their coming; empty after `timeout` seconds without any."""
        if not self._waiting and not self._reader.done():
            self._news.clear()
            try:
                async with asyncio.timeout(timeout):
                    await self._news.wait()
            except TimeoutError:
                return []
        if not self._waiting:
            return None if self._reader.done() else []
        taken, self._waiting = self._waiting[:_BATCH], self._waiting[_BATCH:]
        if len(self._waiting) < _WAITING:
            self._room.set()
        return self._parsed(taken)

    def wake(self) -> None:
        """Let a waiting `next` return."""
        self._news.set()

    def give_up(self, reason: str) -> None:
        """Take nothing more from this connection."""
        self.reason = reason
        self._waiting.clear()
        self._reader.cancel()

    async def close(self) -> None:
        """Hang up."""
        self._reader.cancel()
        await asyncio.gather(self._reader, return_exceptions=True)
        await self._socket.close()

    async def _read(self) -> None:
        try:
            while True:
                message = await self._socket.recv()
                # Only now: the list may have been taken away meanwhile.
                self._waiting.append(message)
                if not self._news.is_set():
                    self._news.set()
                if len(self._waiting) >= _WAITING:
                    self._room.clear()
                    await self._room.wait()
        except (ConnectionClosed, UnicodeDecodeError):
            self.reason = "the log connection ended"

    def _parsed(self, messages: list[str | bytes]) -> list[LogEntry]:
        entries: list[LogEntry] = []
        try:
            for message in messages:
                entries.append(LOG_LINE.validate_json(message).domain())
        except ValidationError:
            # What follows it is lost to this connection only: the next one reads it from the history.
            self.give_up("the log connection sent something that is no log line")
        return entries


@functools.cache
def _roots() -> ssl.SSLContext:
    """The certificates that the API's own client trusts; reading them takes a while."""
    return httpx.create_ssl_context()


def subscription_url(api_url: str, owner_id: str, service_ids: tuple[str, ...]) -> str:
    """Where the live log of some services is subscribed to."""
    base = urlsplit(api_url.rstrip("/") + "/logs/subscribe")
    query = urlencode({"ownerId": owner_id, "resource": service_ids, "direction": "forward"}, doseq=True)
    return base._replace(scheme="wss" if base.scheme == "https" else "ws", query=query).geturl()
