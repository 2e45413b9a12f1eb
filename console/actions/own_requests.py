"""The console's own requests to the deployed services, counted, so that they are never taken for users' activity."""

from bisect import bisect_left
from collections.abc import Callable, Mapping
from datetime import UTC, datetime

from console.domain.plan import Json
from console.ports import HttpAnswer, Web


def _wall_time() -> datetime:
    return datetime.now(UTC)


class OwnRequests:
    """A `Web` that remembers when it asked which address. `now` gives the wall time, UTC."""

    def __init__(self, web: Web, now: Callable[[], datetime] = _wall_time) -> None:
        self._web = web
        self._now = now
        self._asked: dict[str, list[datetime]] = {}

    async def request(
        self,
        method: str,
        url: str,
        *,
        body: Json = None,
        headers: Mapping[str, str] | None = None,
        timeout: float = 10.0,
    ) -> HttpAnswer:
        """One request, counted whatever becomes of it."""
        self._asked.setdefault(_origin(url), []).append(self._now())
        return await self._web.request(method, url, body=body, headers=headers, timeout=timeout)

    def count(self, base_url: str, since: datetime, until: datetime) -> int:
        """How many went to a service's address in a window of the console's clock."""
        asked = self._asked.get(_origin(base_url), [])
        return bisect_left(asked, until) - bisect_left(asked, since)


def _origin(url: str) -> str:
    scheme, _, rest = url.partition("://")
    return f"{scheme}://{rest.partition('/')[0]}"
