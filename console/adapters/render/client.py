"""The one way to the provider's API: one connection pool, one key, one base URL, time-outs on everything.

A request is repeated only where a repeat is harmless: reads, PUT, PATCH and DELETE after an error or a lost
answer; any request that was refused for its rate (429) or never left. A POST whose answer was an error or was
lost is never repeated here: `HostingError.sent` tells the caller to look first.
"""

import asyncio
import random
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from types import TracebackType
from typing import Protocol, Self, TypeVar

import httpx
from pydantic import TypeAdapter, ValidationError

from console.adapters.render.failures import Body, Call, Params, lost, not_understood, part, problem_of, refused
from console.adapters.render.rate_limits import RateLimits, seconds_to_wait
from console.domain.places import host_of, is_loopback
from console.errors import HostingError
from console.ports import Clock
from console.secrets import Secret

PAGE = 100
"""The most items that the provider puts on a page."""

_NOT_SENT = (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout, httpx.ProxyError, httpx.UnsupportedProtocol)

T = TypeVar("T")


class Paged(Protocol):
    """An item of a list that is paged by cursor."""

    @property
    def cursor(self) -> str:
        """Where the list goes on after this item."""


P = TypeVar("P", bound=Paged)


@dataclass(frozen=True, slots=True)
class Patience:
    """How long to wait and how often to try. Wall seconds; `whole` bounds one try from first to last byte.

    `first_read` is for the first try of a reading: one that hangs is sooner asked again than waited for.
    """

    connect: float = 5.0
    first_read: float = 8.0
    read: float = 20.0
    whole: float = 60.0
    tries: int = 5
    refusals: int = 8
    first_pause: float = 0.5
    longest_pause: float = 8.0

    @classmethod
    def for_answers_within(cls, seconds: float) -> Self:
        """For a provider that answers a reading within so many seconds; everything else is given 2.5 times as long."""
        return cls(first_read=seconds, read=2.5 * seconds)


class Reply:
    """The provider's successful answer: its status, and its body where one is expected."""

    def __init__(self, call: Call, response: httpx.Response) -> None:
        self._call = call
        self._response = response

    @property
    def status(self) -> int:
        """The HTTP status, 2xx."""
        return self._response.status_code

    @property
    def empty(self) -> bool:
        """There is no body."""
        return not self._response.content.strip()

    def at(self) -> datetime:
        """When it was given, by the provider's clock (UTC, whole seconds). Raises HostingError."""
        try:
            return parsedate_to_datetime(self._response.headers.get("date", "")).astimezone(UTC)
        except ValueError:
            problem = "it has no readable Date header"
        raise not_understood(self._call, problem)

    def read(self, shape: TypeAdapter[T]) -> T:
        """The body. Raises HostingError."""
        try:
            return shape.validate_json(self._response.content)
        except ValidationError as error:
            problem = problem_of(error)
        # Outside of the handler: the vendor's exception, which holds the answer, must not hang on ours.
        raise not_understood(self._call, problem)


class RenderClient:
    """Requests to the provider's API. Use as an async context manager, or call `aclose`.

    `api_url` is the base with its version (`https://api.render.com/v1`); `token` is kept out of every message.
    """

    def __init__(
        self,
        api_url: str,
        token: Secret,
        owner_id: str,
        clock: Clock,
        *,
        patience: Patience | None = None,
        transport: httpx.AsyncBaseTransport | None = None,
    ) -> None:
        self.api_url = api_url.rstrip("/")
        self.owner_id = owner_id
        self.clock = clock
        self._patience = patience or Patience()
        self._secrets = (token.reveal(),)
        self._limits = RateLimits()
        self._http = httpx.AsyncClient(
            headers={**self.authorization, "Accept": "application/json"},
            follow_redirects=False,
            trust_env=not is_loopback(host_of(api_url)),
            transport=transport,
        )

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.aclose()

    async def aclose(self) -> None:
        """Close the connections."""
        await self._http.aclose()

    @property
    def authorization(self) -> Mapping[str, str]:
        """The header that the log subscription needs too. Secret."""
        return {"Authorization": f"Bearer {self._secrets[0]}"}

    async def get(self, shape: TypeAdapter[T], path: str, what: str, params: Params | None = None) -> T:
        """Read one thing. Raises HostingError."""
        return (await self._exchange(Call("GET", path, what, params or {}))).read(shape)

    async def pages(
        self, shape: TypeAdapter[list[P]], path: str, what: str, params: Params | None = None, *, most: int = 10_000
    ) -> list[P]:
        """Read a list page by page until it ends or has `most` items. Raises HostingError."""
        items: list[P] = []
        query = dict(params or {})
        while len(items) < most:
            size = min(PAGE, most - len(items))
            page = await self.get(shape, path, what, {**query, "limit": size})
            items.extend(page)
            if len(page) < size or query.get("cursor") == page[-1].cursor:
                break
            query["cursor"] = page[-1].cursor
        return items

    async def change(
        self, method: str, path: str, what: str, body: Body | None = None, *, hide: tuple[str, ...] = ()
    ) -> Reply:
        """Send a write. Values in `hide` appear in no message. Raises HostingError."""
        return await self._exchange(Call(method, path, what, {}, body, hide))

    async def now(self) -> datetime:
        """The provider's time, whole seconds rounded down: the `Date` of an answer. Raises HostingError."""
        what = f"workspace {self.owner_id}"
        return (await self._exchange(Call("GET", f"/owners/{part(self.owner_id)}", what))).at()

    async def _exchange(self, call: Call) -> Reply:
        failures = refusals = 0
        while True:
            await self._keep_pace(call)
            first = call.reads and not failures
            outcome = await self._once(call, self._patience.first_read if first else self._patience.read)
            if isinstance(outcome, httpx.Response) and outcome.is_success:
                return Reply(call, outcome)
            error = outcome if isinstance(outcome, HostingError) else refused(call, outcome, self._secrets)
            if error.status == 429:
                refusals += 1
                pause = self._asked_pause(outcome, refusals)
                exhausted = refusals >= self._patience.refusals
            else:
                failures += 1
                pause = self._pause(failures)
                exhausted = failures >= self._patience.tries or not _worth_repeating(call, error)
            if exhausted:
                raise error
            await self.clock.sleep(pause)

    async def _keep_pace(self, call: Call) -> None:
        delay = self._limits.delay(call.kind, self.clock.monotonic())
        if delay > 0:
            await self.clock.sleep(delay)

    async def _once(self, call: Call, read: float) -> httpx.Response | HostingError:
        try:
            async with asyncio.timeout(self._patience.whole):
                response = await self._http.request(
                    call.method,
                    self.api_url + call.path,
                    params=call.params,
                    json=call.body,
                    timeout=httpx.Timeout(read, connect=self._patience.connect),
                )
        except TimeoutError:
            return lost(call, f"it was not finished within {self._patience.whole:.0f} s", sent=True)
        except httpx.TransportError as error:
            return lost(call, self._reason(error, read), sent=not isinstance(error, _NOT_SENT))
        except (httpx.DecodingError, httpx.InvalidURL) as error:
            sent = isinstance(error, httpx.DecodingError)
            return lost(call, "its answer is garbled" if sent else "the address is not valid", sent=sent)
        self._limits.note(call.kind, response.headers, now=self.clock.now(), monotonic=self.clock.monotonic())
        return response

    def _reason(self, error: httpx.TransportError, read: float) -> str:
        match error:
            case httpx.ConnectTimeout():
                return f"no connection within {self._patience.connect:.0f} s"
            case httpx.TimeoutException():
                return f"nothing came within {read:g} s"
            case httpx.ConnectError():
                return "no connection to " + (re.sub(r"^\w+://|/.*$", "", self.api_url) or "it")
            case _:
                return "the connection broke off"

    def _asked_pause(self, outcome: httpx.Response | HostingError, refusals: int) -> float:
        asked = seconds_to_wait(outcome.headers, self.clock.now()) if isinstance(outcome, httpx.Response) else None
        return self._pause(refusals) if asked is None else asked + _jitter(0.0, 0.25)

    def _pause(self, failures: int) -> float:
        longest = min(self._patience.first_pause * 2 ** (failures - 1), self._patience.longest_pause)
        return _jitter(longest / 2, longest)


def _worth_repeating(call: Call, error: HostingError) -> bool:
    if error.status is not None:
        return call.harmless and error.status >= 500
    return call.harmless or not error.sent


_jitter: Callable[[float, float], float] = random.uniform
"""Spreads the repeats of several clients; no secret depends on it."""
