"""Words to the stakeholders: every channel on its own, none able to stop a run or to show its URL."""

import asyncio
import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from console.adapters.notify import AppriseNotifier
from console.secrets import Secret

# Apprise imports it for its PGP plugin.
pytestmark = pytest.mark.filterwarnings("ignore:'imghdr' is deprecated:DeprecationWarning")


@asynccontextmanager
async def webhook(status: int) -> AsyncIterator[tuple[Secret, list[bytes]]]:
    """A JSON webhook as Apprise calls it."""
    heard: list[bytes] = []

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = await reader.readuntil(b"\r\n\r\n")
        size = int(head.lower().partition(b"content-length: ")[2].partition(b"\r")[0])
        heard.append(await reader.readexactly(size))
        writer.write(f"HTTP/1.1 {status} X\r\nContent-Length: 0\r\nConnection: close\r\n\r\n".encode())
        writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    async with server:
        port = server.sockets[0].getsockname()[1]
        yield Secret(f"json://user:hook-pass@127.0.0.1:{port}/", "HOOK"), heard


async def test_every_channel_is_told_and_the_failed_ones_are_named(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    async with webhook(200) as (good, heard), webhook(500) as (bad, refused):
        channels = {"team": good, "board": bad, "nonsense": Secret("no-such-thing", "X")}
        failed = await AppriseNotifier(channels).send("Rolled back", "The code is as before.")
    assert failed == ("board", "nonsense")
    assert b"Rolled back" in heard[0]
    assert b"The code is as before." in heard[0]
    assert len(refused) == 1
    assert "hook-pass" not in caplog.text


async def test_a_channel_that_breaks_is_a_failed_one(monkeypatch: pytest.MonkeyPatch) -> None:
    def explode(*_: str) -> bool:
        raise RuntimeError("json://user:hook-pass@host")

    monkeypatch.setattr("console.adapters.notify._send", explode)
    assert await AppriseNotifier({"team": Secret("json://host", "X")}).send("a", "b") == ("team",)


async def test_nobody_to_tell_is_no_failure() -> None:
    assert await AppriseNotifier({}).send("a", "b") == ()
