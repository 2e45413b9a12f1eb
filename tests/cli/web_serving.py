"""A `release-console watch --web` in a process of its own, and a browser's part of it without a browser."""

import asyncio
import os
import re
import select
import signal
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from aiohttp import ClientSession, ClientWebSocketResponse, WSMsgType

ROOT = Path(__file__).parents[2]
PATIENCE_S = 60.0
_CONTROLS = re.compile(rb"\x1b(?:\[[0-9;?<]*[ -/]*[@-~]|\][^\x07]*\x07|[@-Z\\^_c])")


@dataclass(frozen=True)
class Served:
    """A server that runs."""

    process: asyncio.subprocess.Process
    address: str

    @property
    def origin(self) -> str:
        """The scheme, host and port of its address."""
        return "/".join(self.address.split("/")[:3])

    @property
    def token(self) -> str:
        return self.address.split("/")[3]

    def viewers(self) -> list[int]:
        """The process ids of its viewers."""
        return children(self.process.pid)

    async def end(self, with_signal: signal.Signals = signal.SIGINT) -> int:
        """End it; its exit code."""
        self.process.send_signal(with_signal)
        async with asyncio.timeout(PATIENCE_S):
            return await self.process.wait()


@asynccontextmanager
async def serving(state: Path, home: Path, *arguments: str) -> AsyncIterator[Served]:
    """Serve a run that is kept in `state`, from the folder `home`, where whatever were saved would be found."""
    home.mkdir()
    # The variable by which a browser's viewer knows itself must not come from whoever runs the tests.
    environment = {name: value for name, value in os.environ.items() if not name.startswith("TEXTUAL")}
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-B", "-m", "console", "watch", "--web", *arguments, "--directory", str(state)),
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE,
        cwd=home,
        env={**environment, "PYTHONPATH": str(ROOT), "PYTHONDONTWRITEBYTECODE": "1", "HOME": str(home)},
    )
    assert process.stdout is not None
    try:
        async with asyncio.timeout(PATIENCE_S):
            address = (await process.stdout.readline()).decode().strip()
        assert address, "it ended without an address"
        yield Served(process, address)
    finally:
        if process.returncode is None:
            process.kill()
        await process.wait()


@asynccontextmanager
async def looking(address: str, *, cells: str = "width=120&height=36") -> AsyncIterator[ClientWebSocketResponse]:
    """The WebSocket that the page at an address opens."""
    origin = "/".join(address.split("/")[:3])
    async with ClientSession() as session, session.ws_connect(f"{address}ws?{cells}", origin=origin) as page:
        yield page


async def seen(page: ClientWebSocketResponse, words: str) -> str:
    """Read what is drawn until these words were; whatever came on the way, without what only a terminal obeys."""
    drawn = b""
    async with asyncio.timeout(PATIENCE_S):
        while words not in (text := _CONTROLS.sub(b"", drawn).decode(errors="replace")):
            message = await page.receive()
            assert message.type is WSMsgType.BINARY, f"{words!r} not seen before {message}; seen:\n{text}"
            drawn += message.data
    return text


async def closed(page: ClientWebSocketResponse) -> int | None:
    """Read until the server closes; its code."""
    async with asyncio.timeout(PATIENCE_S):
        while (await page.receive()).type not in (WSMsgType.CLOSE, WSMsgType.CLOSING, WSMsgType.CLOSED):
            continue
    return page.close_code


def children(process: int) -> list[int]:
    """The processes that a process started and that still run."""
    tasks = Path(f"/proc/{process}/task").glob("*/children")
    return [int(child) for each in tasks for child in each.read_text().split()]


async def gone(process: int) -> None:
    """Wait until a process has ended."""
    try:
        fd = os.pidfd_open(process)
    except ProcessLookupError:
        return
    try:
        ended, _, _ = await asyncio.to_thread(select.select, [fd], [], [], PATIENCE_S)
        assert ended, f"process {process} runs on"
    finally:
        os.close(fd)
