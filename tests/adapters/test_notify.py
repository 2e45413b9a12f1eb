"""Words to the stakeholders: every channel on its own, none able to stop a run or to show its URL."""

import asyncio
import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from threading import Event

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


async def test_every_channel_is_told_and_the_failed_ones_say_why(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    async with webhook(200) as (good, heard), webhook(503) as (bad, refused):
        channels = {"team": good, "board": bad, "nonsense": Secret("no-such-thing", "X")}
        answers = await AppriseNotifier(channels).send("Rolled back", "The code is as before.")
    assert answers == {
        "team": "",
        "board": "the channel refused it (HTTP 503)",
        "nonsense": "its address is not one that words can be sent to",
    }
    assert b"Rolled back" in heard[0]
    assert b"The code is as before." in heard[0]
    assert len(refused) == 1
    assert "hook-pass" not in caplog.text
    assert not [record for record in caplog.records if record.name.partition(".")[0] in ("apprise", "urllib3")]


async def test_a_message_goes_to_the_named_channels_alone() -> None:
    async with webhook(200) as (first, told), webhook(200) as (second, again):
        notifier = AppriseNotifier({"team": first, "board": second})
        assert await notifier.send("a", "b", ("board", "board", "press")) == {
            "board": "",
            "press": "the plan names no such channel",
        }
    assert (len(told), len(again)) == (0, 1)


async def test_a_channel_where_nobody_listens_cannot_be_reached() -> None:
    async with webhook(200) as (gone, _):
        pass
    assert await AppriseNotifier({"team": gone}).send("a", "b") == {"team": "it cannot be reached"}


async def test_a_channel_that_is_silent_did_not_answer() -> None:
    async def say_nothing(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read()
        writer.close()

    server = await asyncio.start_server(say_nothing, "127.0.0.1", 0)
    async with server:
        port = server.sockets[0].getsockname()[1]
        silent = Secret(f"json://127.0.0.1:{port}/?rto=0.2", "HOOK")
        assert await AppriseNotifier({"team": silent}).send("a", "b") == {"team": "no answer in time"}


async def test_a_channel_without_end_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    released = Event()
    monkeypatch.setattr("console.adapters.notify._TIMEOUT_S", 0.05)
    monkeypatch.setattr("console.adapters.notify._send", lambda *_: released.wait(20) and "")
    try:
        answers = await AppriseNotifier({"team": Secret("json://host", "X")}).send("a", "b")
    finally:
        released.set()
    assert answers == {"team": "no answer within 0.05 s"}


async def test_a_channel_that_breaks_is_a_failed_one(monkeypatch: pytest.MonkeyPatch) -> None:
    def explode(*_: str) -> str:
        raise RuntimeError("json://user:hook-pass@host")

    monkeypatch.setattr("console.adapters.notify._send", explode)
    answers = await AppriseNotifier({"team": Secret("json://host", "X")}).send("a", "b")
    assert answers == {"team": "the channel could not be used"}


async def test_nobody_to_tell_is_no_failure() -> None:
    assert await AppriseNotifier({}).send("a", "b") == {}
