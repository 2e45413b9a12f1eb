"""The server: a page, what the page is made of, and a WebSocket for each browser.

What always holds: whatever is served comes from this machine; what a browser sends is checked before a viewer hears
it; no more than MOST_VIEWERS watch at once, and whoever comes after them is told so.
"""

import asyncio
import html
import json
from collections.abc import Sequence
from http import HTTPStatus
from pathlib import Path
from string import Template

from aiohttp import WSCloseCode, WSMsgType, web
from textual_serve.app_service import AppService
from textual_serve.server import Server

from console.cli.web.gate import gate, guard_answer
from console.cli.web.viewer import Viewer, say

MOST_VIEWERS = 32
"""Browsers at once: each has a process of its own behind it."""

_PAGE = Path(__file__).parent / "page"
_OWN = ("watch.css", "watch.js")
_TEXTUALS = (
    "js/textual.js",
    "css/xterm.css",
    "fonts/RobotoMono-VariableFont_wght.ttf",
    "fonts/RobotoMono-Italic-VariableFont_wght.ttf",
)
_HEARTBEAT_S = 15.0
_MOST_BYTES = 64 * 1024
_MOST_CELLS = 1000
_CLOSING_S = 2.0


class WatchServer(Server):
    """Serves the run called `run` under `token`; `watch` are the arguments of each browser's viewer."""

    def __init__(self, run: str, watch: Sequence[str], token: str) -> None:
        super().__init__("release-console watch", title=run)
        self._watch = tuple(watch)
        self._token = token
        self._browsers: set[web.WebSocketResponse] = set()

    async def application(self) -> web.Application:
        """What answers."""
        return await self._make_app()

    async def _make_app(self) -> web.Application:
        app = web.Application(middlewares=[gate(self._token)])
        app.router.add_get(f"/{self._token}/", self.handle_index)
        app.router.add_get(f"/{self._token}/ws", self.handle_websocket)
        app.router.add_get(f"/{self._token}/static/{{name:.+}}", self.handle_static)
        app.on_response_prepare.append(guard_answer)
        app.on_shutdown.append(self.on_shutdown)
        return app

    async def handle_index(self, request: web.Request) -> web.StreamResponse:
        """The page; in its place, when too many watch, that it is so."""
        full = len(self._browsers) >= MOST_VIEWERS
        name = "full.html" if full else "index.html"
        page = Template((_PAGE / name).read_text(encoding="utf-8"))
        text = page.substitute(run=html.escape(self.title), most=MOST_VIEWERS)
        status = HTTPStatus.SERVICE_UNAVAILABLE if full else HTTPStatus.OK
        return web.Response(text=text, content_type="text/html", status=status)

    async def handle_static(self, request: web.Request) -> web.StreamResponse:
        """What the page is made of, and no other file."""
        name = request.match_info["name"]
        if name in _OWN:
            return web.FileResponse(_PAGE / name)
        if name in _TEXTUALS:
            return web.FileResponse(Path(self.statics_path) / name)
        raise web.HTTPNotFound

    async def handle_websocket(self, request: web.Request) -> web.WebSocketResponse:
        """A browser watches: it has a viewer for as long as it stays."""
        browser = web.WebSocketResponse(heartbeat=_HEARTBEAT_S, max_msg_size=_MOST_BYTES, compress=False)
        await browser.prepare(request)
        if len(self._browsers) >= MOST_VIEWERS:
            await say(browser, f"{MOST_VIEWERS} browsers watch already, and no more can at once. Close one of them.")
            await browser.close(code=WSCloseCode.TRY_AGAIN_LATER)
            return browser
        self._browsers.add(browser)
        viewer = Viewer(self._watch, browser)
        try:
            await viewer.start(_cells(request.query.get("width"), 80), _cells(request.query.get("height"), 24))
            await self._process_messages(browser, viewer)
        finally:
            await viewer.stop()
            self._browsers.discard(browser)
        return browser

    async def on_shutdown(self, app: web.Application) -> None:
        """Send every browser away; their viewers end behind them."""
        closing = [browser.close(code=WSCloseCode.GOING_AWAY, message=b"ended") for browser in self._browsers]
        if closing:
            await asyncio.wait([asyncio.ensure_future(each) for each in closing], timeout=_CLOSING_S)

    async def _process_messages(self, websocket: web.WebSocketResponse, app_service: AppService) -> None:
        """Pass on keys, clicks and the window's size; a browser that sends anything else is no browser of ours."""
        async for message in websocket:
            try:
                if message.type is not WSMsgType.TEXT:
                    raise ValueError("the page sends text alone")
                await _hear(json.loads(message.data), websocket, app_service)
            except ConnectionError:
                return
            except ValueError:
                await websocket.close(code=WSCloseCode.UNSUPPORTED_DATA)


async def _hear(said: object, browser: web.WebSocketResponse, viewer: AppService) -> None:
    """What the page said. Raises ValueError for what it never says, ConnectionError when it has gone."""
    match said:
        case ["stdin", str(keys)]:
            await viewer.send_bytes(keys.encode())
        case ["resize", {"width": int(width), "height": int(height)}]:
            await viewer.set_terminal_size(_cells(width, 80), _cells(height, 24))
        case ["ping", str(stamp)]:
            await browser.send_json(["pong", stamp])
        case ["focus"]:
            await viewer.focus()
        case ["blur"]:
            await viewer.blur()
        case _:
            raise ValueError("the page never says this")


def _cells(value: object, otherwise: int) -> int:
    """A size in cells within bounds, from whatever a browser claims."""
    try:
        return min(max(int(str(value)), 1), _MOST_CELLS)
    except ValueError:
        return otherwise
