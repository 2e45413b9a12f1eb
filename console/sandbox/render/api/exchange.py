"""What the endpoints share: errors in the API's form, parameters, bodies, pages by cursor."""

import base64
import json
from collections.abc import Callable, Iterable
from datetime import datetime
from typing import TypeVar

from pydantic import BaseModel, ValidationError
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from console.sandbox.render.identity import random_text
from console.sandbox.render.state import JsonObject
from console.sandbox.render.times import parse_moment

_DEFAULT_LIMIT = 20
_MOST = 100

Item = TypeVar("Item")
Body = TypeVar("Body", bound=BaseModel)


class ApiError(Exception):
    """An error that the client is answered with."""

    def __init__(self, status: int, message: str) -> None:
        super().__init__(message)
        self.status = status


def not_found(what: str, identity: str) -> ApiError:
    """404 for a resource that does not exist."""
    return ApiError(404, f"{what} not found: {identity}")


def error_response(status: int, message: str) -> JSONResponse:
    """An error in the API's form."""
    return JSONResponse({"id": random_text(20), "message": message}, status)


def accepted() -> Response:
    """202 without a body."""
    return Response(status_code=202)


async def read_body(request: Request, model: type[Body]) -> Body:
    """The request's body as `model`; 400 when it is not of that shape."""
    try:
        return model.model_validate_json(await request.body() or b"{}")
    except ValidationError as error:
        first = error.errors(include_input=False, include_url=False)[0]
        place = ".".join(str(part) for part in first["loc"]) or "body"
        raise ApiError(400, f"invalid {place}: {first['msg']}") from None


def values(request: Request, name: str) -> list[str]:
    """All values of a query parameter, repeated or separated by commas."""
    return [value for text in request.query_params.getlist(name) for value in text.split(",") if value]


def choice(request: Request, name: str, allowed: Iterable[str], default: str) -> str:
    """A query parameter that has few values; 400 for another one."""
    value = request.query_params.get(name, default)
    if value not in allowed:
        raise ApiError(400, f"invalid {name}: {value!r}")
    return value


def number(request: Request, name: str, default: float, least: float, most: float) -> float:
    """A numeric query parameter; 400 when it is none or out of bounds."""
    text = request.query_params.get(name)
    if text is None:
        return default
    try:
        value = float(text)
    except ValueError:
        raise ApiError(400, f"invalid {name}: {text!r}") from None
    if not least <= value <= most:
        raise ApiError(400, f"invalid {name}: must lie between {least:g} and {most:g}")
    return value


def limit_of(request: Request) -> int:
    """The page size that the client wishes: 20 where it says nothing, never above 100."""
    limit = number(request, "limit", _DEFAULT_LIMIT, 1, _MOST)
    if limit != int(limit):
        raise ApiError(400, "invalid limit: must be an integer")
    return int(limit)


def moment(request: Request, name: str) -> datetime | None:
    """A query parameter that is a timestamp, or None; 400 when it is none."""
    text = request.query_params.get(name)
    if text is None:
        return None
    try:
        return parse_moment(text)
    except ValueError as error:
        raise ApiError(400, f"invalid {name}: {error}") from None


def in_range(request: Request, prefix: str, value: datetime | None) -> bool:
    """Whether `value` passes the filters `<prefix>Before` and `<prefix>After`."""
    before, after = moment(request, f"{prefix}Before"), moment(request, f"{prefix}After")
    if before is None and after is None:
        return True
    return value is not None and (before is None or value < before) and (after is None or value > after)


def page(
    request: Request, items: Iterable[Item], identity: Callable[[Item], str], name: str, show: Callable[[Item], object]
) -> JSONResponse:
    """One page of a list: each item under `name` with the cursor that continues after it."""
    limit = limit_of(request)
    entries = list(items)
    cursor = request.query_params.get("cursor")
    if cursor:
        cursors = [_cursor(identity(item)) for item in entries]
        if cursor not in cursors:
            raise ApiError(400, "invalid cursor")
        entries = entries[cursors.index(cursor) + 1 :]
    shown: list[JsonObject] = [{name: show(item), "cursor": _cursor(identity(item))} for item in entries[:limit]]
    return JSONResponse(shown)


def json_object(text: bytes) -> JsonObject:
    """A JSON object; ValueError for anything else."""
    content: object = json.loads(text)
    if not isinstance(content, dict):
        raise ValueError("not a JSON object")
    return content


def _cursor(identity: str) -> str:
    return base64.urlsafe_b64encode(identity.encode()).decode().rstrip("=")
