"""What the CRM's servers answer: JSON with times in ISO 8601, and errors as people will read them."""

from datetime import date, datetime
from json import dumps

import psycopg
from psycopg.rows import DictRow
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

from console.sandbox.crm_app.access_log import shown_path


class Json(Response):
    """A JSON answer; dates and times are written in ISO 8601."""

    media_type = "application/json"

    def render(self, content: object) -> bytes:
        """The body's bytes."""
        return dumps(content, default=_plain, separators=(",", ":")).encode()


def found(record: DictRow | None, status: int = 200) -> Json:
    """The record, or 404."""
    if record is None:
        raise HTTPException(404, "no such record")
    return Json(record, status)


async def read_fields(request: Request, **limits: int) -> dict[str, str | None]:
    """The named text fields of a JSON body, None where absent; 400 for another shape, 422 for a text too long."""
    try:
        body = await request.json()
    except ValueError:
        raise HTTPException(400, "the body is not JSON") from None
    if not isinstance(body, dict):
        raise HTTPException(400, "the body must be an object")
    fields: dict[str, str | None] = {}
    for name, limit in limits.items():
        value = body.get(name)
        if value is not None and not (isinstance(value, str) and 0 < len(value) <= limit):
            raise HTTPException(422, f"{name} must be a text of 1 to {limit} characters")
        fields[name] = value
    return fields


def read_number(text: str, what: str) -> int:
    """A whole number of a path or query; 400 for anything else."""
    if not (text.isascii() and text.isdigit() and len(text) <= 18):
        raise HTTPException(400, f"{what} must be a number")
    return int(text)


def on_refusal(request: Request, refusal: Exception) -> Json:
    """An `HTTPException` as JSON."""
    if not isinstance(refusal, HTTPException):
        raise refusal
    return Json({"error": refusal.detail}, refusal.status_code)


def on_database_error(request: Request, error: Exception) -> Json:
    """PostgreSQL's own error: one line in the log with its SQLSTATE, and status 500."""
    if not isinstance(error, psycopg.Error):
        raise error
    sqlstate = error.sqlstate or "08006"
    message = error.diag.message_primary or f"the database cannot be reached ({type(error).__name__})"
    print(f"ERROR {request.method} {shown_path(request.scope)} SQLSTATE {sqlstate}: {message}", flush=True)
    return Json({"error": message, "sqlstate": sqlstate}, 500)


def _plain(value: object) -> str:
    if isinstance(value, datetime | date):
        return value.isoformat()
    raise TypeError(f"{type(value).__name__} has no JSON form here")
