"""Who may ask: everything lives under one unguessable path, asked for by that path's own page on this machine.

What always holds: whoever is not let in is told the same as whoever asks for something that is not there; no answer
is kept by the browser, framed by another page or read by one, and none tells another page the address.
"""

import re
import secrets
from http import HTTPStatus

from aiohttp import web
from aiohttp.typedefs import Handler, Middleware

TOKEN_BYTES = 32

_HERE = re.compile(r"(?:127\.0\.0\.1|localhost)(?::[0-9]{1,5})?")
"""What a browser on this machine calls it. Any port: the way here may be a tunnel, which has one of its own."""

_HEADERS = {
    "Cache-Control": "no-store",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), clipboard-read=(), display-capture=(), geolocation=(), microphone=()",
    "Server": "release-console",
}

# The terminal writes its styles into the page, which no hash could name; scripts are this server's own. The sandbox
# leaves out pop-ups, downloads and forms: a link in a log line leads nowhere.
_CONTENT = (
    "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; font-src 'self'; img-src data:; "
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'; sandbox allow-scripts allow-same-origin; "
    "connect-src 'self'"
)


def new_token() -> str:
    """A path that nobody guesses."""
    return secrets.token_urlsafe(TOKEN_BYTES)


def gate(token: str) -> Middleware:
    """The middleware that lets in whoever knows `token`; everybody else finds nothing."""

    @web.middleware
    async def let_in(request: web.Request, handler: Handler) -> web.StreamResponse:
        if not (_from_here(request) and _knows(request.path, token)):
            return nothing_here()
        try:
            return await handler(request)
        except web.HTTPException:
            return nothing_here()

    return let_in


def nothing_here() -> web.Response:
    """The one answer to whatever is not let in, or is not there."""
    return web.Response(status=HTTPStatus.NOT_FOUND, text="Nothing here.\n")


async def guard_answer(request: web.Request, response: web.StreamResponse) -> None:
    """Give every answer its headers; a signal that is sent before each begins."""
    response.headers.update(_HEADERS)
    # Not every browser takes a WebSocket of the same host for one of 'self'.
    socket = f" ws://{request.headers['Host']}" if _from_here(request) else ""
    response.headers["Content-Security-Policy"] = _CONTENT + socket


def _knows(path: str, token: str) -> bool:
    first = path.removeprefix("/").partition("/")[0]
    return secrets.compare_digest(first.encode(errors="replace"), token.encode())


def _from_here(request: web.Request) -> bool:
    """Whether it was asked for under a name of this machine, and by no other page.

    A foreign name that was pointed here is refused by `Host`, another page, also one of this machine, by `Origin`.
    A WebSocket has to have one: browsers let every page open those anywhere.
    """
    hosts, origins = request.headers.getall("Host", []), request.headers.getall("Origin", [])
    if len(hosts) != 1 or _HERE.fullmatch(hosts[0]) is None:
        return False
    if not origins:
        return "Upgrade" not in request.headers
    return origins == [f"http://{hosts[0]}"]
