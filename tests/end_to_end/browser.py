"""A real browser without a window: Chromium, spoken to by the protocol of its developer tools.

Nothing here sleeps: what is waited for is that the page's terminal shows something. Nothing but what the page itself
asks for is loaded, and the profile ends with the browser.
"""

import asyncio
import base64
import itertools
import json
import os
import shutil
import signal
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from websockets.asyncio.client import ClientConnection, connect

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
FLAGS = (
    *("--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-sync"),
    *("--disable-background-networking", "--disable-component-update", "--disable-default-apps"),
    *(
        "--disable-dev-shm-usage",
        "--no-proxy-server",
        "--remote-debugging-port=0",
    ),
)
WIDTH, HEIGHT = 1280, 800
_PATIENCE_S = 30.0
_MOST_BYTES = 64 * 1024 * 1024

# The page keeps its terminal to itself: whoever makes it is caught as it is given its fonts' measure.
_CATCH_TERMINAL = """
Object.defineProperty(Object.prototype, "fitAddon", {configurable: true, set(addon) {
  Object.defineProperty(this, "fitAddon", {value: addon, writable: true});
  window.caught = this;
}});
"""
_SCREEN = """(() => {
  const terminal = window.caught?.terminal, buffer = terminal?.buffer.active;
  if (!buffer || !document.body.classList.contains("-first-byte")) return "";
  return Array.from({length: terminal.rows}, (_, row) =>
    buffer.getLine(buffer.viewportY + row)?.translateToString(true) ?? "").join("\\n");
})()"""

_A_MOMENT = "new Promise((done) => setTimeout(done, 30))"


class Page:
    """One page of a browser."""

    def __init__(self, connection: ClientConnection) -> None:
        self._connection = connection
        self._numbers = itertools.count(1)
        self._session = ""
        self._loaded = False
        self.asked_for: list[str] = []
        self.thrown: list[str] = []

    async def begin(self) -> None:
        """Have a page, which nothing is loaded into yet."""
        target = await self.call("Target.createTarget", url="about:blank")
        attached = await self.call("Target.attachToTarget", targetId=target["targetId"], flatten=True)
        self._session = attached["sessionId"]
        for domain in ("Page", "Network", "Runtime"):
            await self.call(f"{domain}.enable")
        await self.call(
            "Emulation.setDeviceMetricsOverride", width=WIDTH, height=HEIGHT, deviceScaleFactor=1, mobile=False
        )
        await self.call("Page.addScriptToEvaluateOnNewDocument", source=_CATCH_TERMINAL)

    async def call(self, method: str, **parameters: Any) -> dict[str, Any]:
        """Ask the browser; its answer. What it tells meanwhile is kept."""
        number = await self.tell(method, **parameters)
        async with asyncio.timeout(_PATIENCE_S):
            while (answer := json.loads(await self._connection.recv())).get("id") != number:
                self._hear(answer)
        assert "error" not in answer, answer["error"]
        result: dict[str, Any] = answer["result"]
        return result

    async def tell(self, method: str, **parameters: Any) -> int:
        """Ask the browser without waiting for its answer, which must be no error; the number of the question."""
        number = next(self._numbers)
        message: dict[str, Any] = {"id": number, "method": method, "params": parameters}
        if self._session:
            message["sessionId"] = self._session
        async with asyncio.timeout(_PATIENCE_S):
            await self._connection.send(json.dumps(message))
        return number

    def _hear(self, message: dict[str, Any]) -> None:
        assert "error" not in message, message["error"]
        method, told = message.get("method"), message.get("params", {})
        if method == "Page.loadEventFired":
            self._loaded = True
        elif method == "Network.requestWillBeSent":
            self.asked_for.append(told["request"]["url"])
        elif method == "Network.webSocketCreated":
            self.asked_for.append(told["url"])
        elif method == "Runtime.exceptionThrown":
            self.thrown.append(json.dumps(told["exceptionDetails"]))

    async def go(self, address: str) -> None:
        """Open an address, and wait until all that it is made of is loaded."""
        self._loaded = False
        await self.call("Page.navigate", url=address)
        await self._until_loaded()

    async def again(self) -> None:
        """Press the button by which a view that is closed is opened anew."""
        self._loaded = False
        await self.value("document.getElementById('again').click()")
        await self._until_loaded()

    async def _until_loaded(self) -> None:
        async with asyncio.timeout(_PATIENCE_S):
            while not self._loaded:
                self._hear(json.loads(await self._connection.recv()))

    async def value(self, expression: str) -> Any:
        """What an expression is in the page; a promise's value."""
        got = await self.call("Runtime.evaluate", expression=expression, returnByValue=True, awaitPromise=True)
        assert "exceptionDetails" not in got, got["exceptionDetails"]
        return got["result"].get("value")

    async def screen(self) -> str:
        """What stands in the page's terminal; empty before anything does."""
        return str(await self.value(_SCREEN))

    async def see(self, *texts: str) -> str:
        """Wait until all the texts stand in the terminal; all that stands there then."""

        def missing(screen: str) -> bool:
            return any(text not in screen for text in texts)

        screen, closed = "", False
        try:
            async with asyncio.timeout(_PATIENCE_S):
                while missing(screen) and not closed:
                    await self.a_moment()
                    closed = await self.closed()
                    screen = await self.screen()
        except TimeoutError:
            pass
        assert not missing(screen), f"{texts} not seen; {self.thrown}; the terminal:\n{screen}"
        return screen

    async def a_moment(self) -> None:
        """Let the page go on."""
        await self.value(_A_MOMENT)

    async def closed(self) -> bool:
        """Whether nothing more will come to the page."""
        return bool(await self.value("document.body.classList.contains('-closed')"))

    async def end(self) -> None:
        """Wait until nothing more will come to the page."""
        async with asyncio.timeout(_PATIENCE_S):
            while not await self.closed():
                await self.a_moment()

    async def press(self, key: str, *, code: int = 0, text: str = "", modifiers: int = 0) -> None:
        """Press a key and let go of it. `modifiers`: 1 alt, 2 ctrl, 8 shift."""
        about: dict[str, Any] = {"key": key, "windowsVirtualKeyCode": code, "modifiers": modifiers}
        await self.tell("Input.dispatchKeyEvent", type="keyDown", text=text, **about)
        await self.tell("Input.dispatchKeyEvent", type="keyUp", **about)

    async def click(self, x: int, y: int, button: str = "left") -> None:
        """Click a point of the page."""
        for kind in ("mousePressed", "mouseReleased"):
            await self.tell("Input.dispatchMouseEvent", type=kind, x=x, y=y, button=button, clickCount=1)

    async def picture(self, file: Path) -> None:
        """Save what the page looks like."""
        shot = await self.call("Page.captureScreenshot", format="png")
        file.write_bytes(base64.b64decode(shot["data"]))


@asynccontextmanager
async def browsing(profile: Path) -> AsyncIterator[Page]:
    """A page of a browser of its own, which ends with it."""
    assert CHROMIUM is not None
    process = await asyncio.create_subprocess_exec(
        *(CHROMIUM, *FLAGS, f"--user-data-dir={profile}", "about:blank"),
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.DEVNULL,
        stderr=asyncio.subprocess.PIPE,
        start_new_session=True,
    )
    assert process.stderr is not None
    try:
        async with asyncio.timeout(_PATIENCE_S):
            while b"DevTools listening on " not in (line := await process.stderr.readline()):
                assert line, "Chromium ended before it listened"
        talking = asyncio.create_task(process.stderr.read())
        address = line.decode().split()[-1]
        async with connect(address, max_size=_MOST_BYTES, proxy=None) as connection:
            page = Page(connection)
            await page.begin()
            yield page
    finally:
        os.killpg(process.pid, signal.SIGKILL)
        await process.wait()
        await talking
