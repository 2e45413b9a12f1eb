"""The `Web` port over httpx: one request of a check, its answer as it came."""

import asyncio
import json
import re
from collections.abc import Mapping
from types import TracebackType
from typing import Self

import httpx

from console.domain.places import host_of, is_loopback
from console.domain.plan import Json
from console.errors import ServiceError
from console.ports import Clock, HttpAnswer

_MOST_BODY = 4 * 1024 * 1024
_TEXT = 2_000
_CONNECT_S = 5.0


class HttpWeb:
    """Requests to the deployed services. Never retried; redirects are answers like any other."""

    def __init__(self, clock: Clock, *, transport: httpx.AsyncBaseTransport | None = None) -> None:
        self._clock = clock
        # Services of this machine are none of the environment's proxies' business.
        roots = httpx.create_ssl_context()
        self._near = httpx.AsyncClient(verify=roots, trust_env=False, transport=transport)
        self._far = httpx.AsyncClient(verify=roots, trust_env=True, transport=transport)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.aclose()

    async def aclose(self) -> None:
        """Close the connections."""
        await self._near.aclose()
        await self._far.aclose()

    async def request(
        self,
        method: str,
        url: str,
        *,
        body: Json = None,
        headers: Mapping[str, str] | None = None,
        timeout: float = 10.0,
    ) -> HttpAnswer:
        """One request, answered within `timeout` seconds. Raises ServiceError when there is no answer.

        `ServiceError.retryable` is true when the request never left.
        """
        began = self._clock.monotonic()
        sent = True
        try:
            async with asyncio.timeout(timeout):
                client = self._near if is_loopback(host_of(url)) else self._far
                async with client.stream(
                    method,
                    url,
                    follow_redirects=False,
                    json=body,
                    headers=dict(headers or {}),
                    timeout=httpx.Timeout(timeout, connect=min(timeout, _CONNECT_S)),
                ) as response:
                    content, whole = await _content(response)
                    milliseconds = (self._clock.monotonic() - began) * 1000
                    return _answer(response, content, whole, milliseconds)
        except (TimeoutError, httpx.TimeoutException) as error:
            why = f"no answer within {timeout:g} s"
            sent = not isinstance(error, httpx.ConnectTimeout)
        except httpx.ConnectError:
            why, sent = "no connection", False
        except (httpx.InvalidURL, httpx.UnsupportedProtocol, ValueError):
            why, sent = "the address is not valid", False
        except (httpx.TransportError, httpx.DecodingError):
            why = "the connection broke off"
        raise ServiceError(
            f"{method} {_shown(url)}: {why}.",
            remedy="See whether the service is up, and whether its address in the plan is right.",
            retryable=not sent,
        )


async def _content(response: httpx.Response) -> tuple[bytes, bool]:
    """The body, and whether it is the whole of it: an answer without end must not fill the memory."""
    content = bytearray()
    async for chunk in response.aiter_bytes():
        content += chunk
        if len(content) > _MOST_BODY:
            return bytes(content), False
    return bytes(content), True


def _answer(response: httpx.Response, content: bytes, whole: bool, milliseconds: float) -> HttpAnswer:
    parsed: Json = None
    if whole:
        try:
            parsed = json.loads(content)
        except ValueError:
            parsed = None  # an answer need not be JSON; the text shows what it is
    text = content[: _TEXT * 4].decode(response.charset_encoding or "utf-8", errors="replace")[:_TEXT]
    return HttpAnswer(response.status_code, parsed, text, milliseconds)


def _shown(url: str) -> str:
    """A URL without what may be secret in it: user, password, query."""
    return re.sub(r"(?<=://)[^/@\s]*@", "", url.partition("?")[0])
