"""One browser's viewer: a `release-console watch` in a process of its own, and what passes between the two.

What always holds: the browser is only ever sent what the screens draw. What else a Textual application can ask of a
browser, to open an address or to take a file, is dropped here. A viewer that ends says why in its own place, and
none outlives its browser by more than seconds.
"""

import asyncio
import contextlib
import sys
from asyncio import StreamReader
from asyncio.subprocess import PIPE, Process
from collections import deque
from collections.abc import Sequence

from aiohttp import web
from textual_serve.app_service import AppService
from textual_serve.download_manager import DownloadManager

from console.cli.web import DRIVER
from console.domain.untrusted import safe

START_S = 60.0
"""Seconds until the first frame is under way; a machine that is busy takes its time."""

END_S = 5.0
"""Seconds that a viewer has to leave before it is ended."""

_PRELUDE = b"__GANGLION__\n"
_DRAWN = b"D"
_MOST = 16 * 1024 * 1024
_LAST_LINES = 40
_EMPTIED = "\x1bc\x1b[?25l\x1b[38;2;214;221;230;48;2;13;17;23m\x1b[2J"
"""Puts a terminal back to its beginning, without a cursor and in the colours of the page."""


class Viewer(AppService):
    """The process behind one WebSocket. `watch` are the arguments of its `release-console watch`."""

    def __init__(self, watch: Sequence[str], browser: web.WebSocketResponse) -> None:
        super().__init__(
            "release-console watch",
            write_bytes=browser.send_bytes,
            write_str=browser.send_str,
            close=self._close,
            download_manager=DownloadManager(),
        )
        self._watch = tuple(watch)
        self._browser = browser

    async def start(self, width: int, height: int) -> None:
        """Start it in a terminal of so many cells; where that fails the page says why, and closes."""
        try:
            await super().start(width, height)
        except OSError as error:
            await say(self._browser, f"No viewer can be started: {error.strerror or error}.")
            await self._close()

    async def stop(self) -> None:
        """Let the viewer leave, as `q` does; end it where it does not within END_S."""
        process, task = self._process, self._task
        if process is None or task is None:
            return
        try:
            async with asyncio.timeout(END_S):
                await self.send_meta({"type": "quit"})
                await process.wait()
        except TimeoutError:
            _kill(process)
            await process.wait()
        await task

    async def run(self) -> None:
        """Pass on what the viewer draws until it ends; then show its last words and close."""
        process = self._process
        if process is None or process.stdout is None or process.stderr is None:
            raise RuntimeError("a viewer is started before it is run")
        words = asyncio.create_task(_last_words(process.stderr))
        try:
            await self._begun(process.stdout)
            while (drawn := await _packet(process.stdout)) is not None:
                await _show(self._browser, drawn)
        except (TimeoutError, ValueError) as error:
            _kill(process)
            await say(self._browser, f"The viewer was ended: {error}", await words)
        else:
            await say(self._browser, await words)
        finally:
            words.cancel()
            await self._close()

    async def _close(self) -> None:
        await self._browser.close()

    async def _open_app_process(self, width: int = 80, height: int = 24) -> Process:
        """Start it without a shell, and out of reach of the Ctrl+C that ends the server: the server ends it."""
        environment = self._build_environment(width, height) | {"TEXTUAL_DRIVER": DRIVER, "TEXTUAL_FPS": "30"}
        self._process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "console", "watch", *self._watch),
            stdin=PIPE,
            stdout=PIPE,
            stderr=PIPE,
            env=environment,
            start_new_session=True,
        )
        self._stdin = self._process.stdin
        return self._process

    async def _begun(self, stdout: StreamReader) -> None:
        """Wait for the word by which a driver says that it draws. Raises TimeoutError."""
        try:
            async with asyncio.timeout(START_S):
                while (line := await stdout.readline()) and line != _PRELUDE:
                    continue
        except TimeoutError:
            raise TimeoutError(f"it drew nothing within {START_S:.0f} s.") from None


async def say(browser: web.WebSocketResponse, *texts: str) -> None:
    """Show lines in a page's terminal, in place of whatever was drawn there."""
    lines = [safe(line) for text in texts for line in text.splitlines()]
    await _show(browser, (_EMPTIED + "\r\n".join(lines)).encode())


async def _show(browser: web.WebSocketResponse, drawn: bytes) -> None:
    # A browser that has gone is seen by whoever reads from it; until then its viewer is not held up.
    with contextlib.suppress(ConnectionError):
        await browser.send_bytes(drawn)


def _kill(process: Process) -> None:
    with contextlib.suppress(ProcessLookupError):
        process.kill()


async def _packet(stdout: StreamReader) -> bytes | None:
    """The next thing that was drawn; None behind the last. Raises ValueError for what no driver sends."""
    while True:
        try:
            head = await stdout.readexactly(5)
            size = int.from_bytes(head[1:], "big")
            if size > _MOST:
                raise ValueError(f"it sent {size:,} bytes at once.")
            payload = await stdout.readexactly(size)
        except asyncio.IncompleteReadError:
            return None
        if head[:1] == _DRAWN:
            return payload


async def _last_words(stderr: StreamReader) -> str:
    """What the process says as it ends: the last lines of its standard error, however much there was."""
    kept: deque[bytes] = deque(maxlen=_LAST_LINES)
    rest = b""
    while more := await stderr.read(65_536):
        *lines, rest = (rest + more).split(b"\n")
        kept.extend(lines)
        rest = rest[-65_536:]
    return b"\n".join((*kept, rest)).decode(errors="replace").strip("\n")
