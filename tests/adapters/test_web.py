"""Requests of checks: answered as they are, bounded, never redirected."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from console.adapters.web import HttpWeb
from console.engine.clock import WallClock
from console.errors import ServiceError


@asynccontextmanager
async def answering(answer: bytes, *, hang: bool = False) -> AsyncIterator[tuple[str, list[bytes]]]:
    """A server that gives one answer to every request, and what it was asked."""
    asked: list[bytes] = []
    leave = asyncio.Event()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = await reader.readuntil(b"\r\n\r\n")
        size = int(head.lower().partition(b"content-length: ")[2].partition(b"\r")[0] or 0)
        asked.append(head + await reader.readexactly(size))
        if hang:
            await leave.wait()
        writer.write(answer)
        writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    async with server:
        yield f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}", asked
        leave.set()


def reply(status: str, body: bytes, *headers: str) -> bytes:
    head = "\r\n".join([f"HTTP/1.1 {status}", f"Content-Length: {len(body)}", *headers, "Connection: close", "", ""])
    return head.encode() + body


@pytest.fixture
async def web(clock: WallClock) -> AsyncIterator[HttpWeb]:
    async with HttpWeb(clock) as made:
        yield made


async def test_json_is_sent_and_parsed(web: HttpWeb) -> None:
    async with answering(reply("201 Created", b'{"id": 7, "tags": ["a"]}')) as (url, asked):
        answer = await web.request("POST", f"{url}/api/accounts", body={"name": "x"}, headers={"X-Run": "r1"})
    assert (answer.status, answer.body) == (201, {"id": 7, "tags": ["a"]})
    assert answer.text == '{"id": 7, "tags": ["a"]}'
    assert answer.milliseconds > 0
    assert asked[0].endswith(b'{"name":"x"}')
    assert b"x-run: r1" in asked[0].lower()


@pytest.mark.parametrize("body", [b"<h1>broken</h1>", b"", b"\xff\xfe", b"{"])
async def test_what_is_no_json_is_text(web: HttpWeb, body: bytes) -> None:
    async with answering(reply("500 Oops", body)) as (url, _):
        answer = await web.request("GET", url)
    assert answer.status == 500
    assert answer.body is None


async def test_a_redirect_is_an_answer(web: HttpWeb) -> None:
    async with answering(reply("302 Found", b"", "Location: http://127.0.0.1:1/")) as (url, asked):
        answer = await web.request("GET", url)
    assert answer.status == 302
    assert len(asked) == 1


async def test_an_answer_without_end_does_not_fill_the_memory(web: HttpWeb, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("console.adapters.web._MOST_BODY", 10_000)
    async with answering(reply("200 OK", b"[" + b"1," * 50_000 + b"1]")) as (url, _):
        answer = await web.request("GET", url)
    assert answer.body is None
    assert len(answer.text) == 2_000


@pytest.mark.parametrize(
    ("answer", "hang", "words", "retryable"),
    [
        (b"", False, "broke off", False),
        (b"nonsense", False, "broke off", False),
        (b"", True, "no answer within 0.2 s", False),
    ],
)
async def test_no_answer_is_an_error(web: HttpWeb, answer: bytes, hang: bool, words: str, retryable: bool) -> None:
    async with answering(answer, hang=hang) as (url, _):
        with pytest.raises(ServiceError, match=words) as failed:
            await web.request("GET", f"{url}/x?token=s3cret", timeout=0.2 if hang else 5)
    assert failed.value.retryable is retryable
    assert "s3cret" not in f"{failed.value!r}{failed.value.__context__!r}"


@pytest.mark.parametrize("url", ["http://127.0.0.1:1/x", "http://[bad/x", "ftp://127.0.0.1/"])
async def test_what_never_left_may_be_repeated(web: HttpWeb, url: str) -> None:
    with pytest.raises(ServiceError) as failed:
        await web.request("DELETE", url)
    assert failed.value.retryable
