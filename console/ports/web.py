"""HTTP to the deployed services. Raises ServiceError."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol

from console.domain.plan import Json


@dataclass(frozen=True, slots=True)
class HttpAnswer:
    """An HTTP answer: status, parsed JSON (None when it is none), the first part of the text, milliseconds."""

    status: int
    body: Json
    text: str
    milliseconds: float


class Web(Protocol):
    """HTTP to the deployed services, for checks. Raises ServiceError when there is no answer."""

    async def request(
        self,
        method: str,
        url: str,
        *,
        body: Json = None,
        headers: Mapping[str, str] | None = None,
        timeout: float = 10.0,
    ) -> HttpAnswer:
        """One request; never retried, never redirected to another host."""
