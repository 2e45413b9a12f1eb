"""A record of the API's requests and answers, one line of JSON each, without secrets.

Tests hold the record against the provider's API description. It is bounded: the older half is dropped.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from io import BufferedWriter
from pathlib import Path
from typing import cast

from console.sandbox.render.times import rfc3339, utc_now

_MOST_BYTES = 32 * 2**20
_MOST_BODY = 512 * 2**10
_HIDDEN = "[hidden]"
_SECRET_KEYS = frozenset({"password", "internalConnectionString", "externalConnectionString", "psqlCommand", "token"})


@dataclass(frozen=True, slots=True)
class Exchange:
    """One request and its answer; `status` None when the client was left without one."""

    method: str
    path: str
    query: str
    request_body: bytes
    status: int | None
    response_body: bytes


class Recorder:
    """Appends exchanges to a file."""

    def __init__(self, folder: Path) -> None:
        self._path = folder / "api-requests.jsonl"
        self._older = folder / "api-requests.1.jsonl"
        self._file: BufferedWriter | None = None

    def open(self) -> None:
        """Begin to append."""
        self._file = self._path.open("ab")

    def close(self) -> None:
        """Stop appending."""
        if self._file is not None:
            self._file.close()
            self._file = None

    def record(self, exchange: Exchange) -> None:
        """Write down one exchange."""
        if self._file is None:
            return
        line = {
            "at": rfc3339(utc_now()),
            "method": exchange.method,
            "path": exchange.path,
            "query": exchange.query,
            "request": _readable(exchange.path, exchange.request_body),
            "status": exchange.status,
            "response": _readable(exchange.path, exchange.response_body),
        }
        self._file.write(json.dumps(line, separators=(",", ":")).encode() + b"\n")
        self._file.flush()
        if self._file.tell() > _MOST_BYTES // 2:
            self._file.close()
            self._path.replace(self._older)
            self._file = self._path.open("ab")


def _readable(path: str, body: bytes) -> object:
    """A body as JSON without secrets; `{"omitted": bytes}` for one that is too large or no JSON."""
    if not body:
        return None
    if len(body) > _MOST_BODY:
        return {"omitted": len(body)}
    try:
        content: object = json.loads(body)
    except ValueError:
        return {"omitted": len(body)}
    secret_values = "/env-vars" in path
    secret_urls = path.endswith("/export")
    return _hide(content, secret_values, secret_urls)


def _hide(content: object, values: bool, urls: bool) -> object:
    if isinstance(content, Mapping):
        fields = cast(Mapping[str, object], content)
        return {
            key: _HIDDEN if _is_secret(key, values, urls) else _hide(value, values, urls)
            for key, value in fields.items()
        }
    if isinstance(content, list):
        return [_hide(item, values, urls) for item in cast(list[object], content)]
    return content


def _is_secret(key: str, values: bool, urls: bool) -> bool:
    return key in _SECRET_KEYS or (values and key == "value") or (urls and key == "url")
