"""Following the log: nothing lost, nothing doubled, whatever becomes of the connections."""

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from contextlib import aclosing, asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest
from websockets.asyncio.server import ServerConnection, serve
from websockets.http11 import Request, Response

from console.adapters.render import RenderClient, RenderTelemetry
from console.adapters.render.follow import Timing
from console.adapters.render.seen import Seen
from console.domain.hosting import LogEntry
from console.engine.clock import WallClock
from console.errors import HostingError
from console.sandbox.render.times import parse_ns
from console.secrets import Secret
from tests.adapters.conftest import OWNER, TOKEN, HeldToContract
from tests.openapi_contract import Contract
from tests.sandbox.render.conftest import BACKEND, FRONTEND, StartWorld, eventually, start_world
from tests.sandbox.render.conftest import TOKEN as WORLD_TOKEN

__all__ = ["start_world"]  # fixture

QUICK = Timing(overlap=1.0, lag=2.0, settling=(0.05, 0.2), quiet=0.3, first_pause=0.01, longest_pause=0.05)
START = datetime(2026, 2, 4, 20, 0, tzinfo=UTC)


@dataclass
class Provider:
    """A log with a history by pages and a live stream that a test can cut, gag or garble."""

    lines: list[dict[str, object]] = field(default_factory=list)
    sockets: set[ServerConnection] = field(default_factory=set)
    page: int = 3
    hidden: int = 0
    """How many of the newest lines the history does not show yet."""
    gagged: bool = False
    refuse: int = 0
    """The status that refuses subscriptions; 0 lets them in."""
    history_status: int = 200
    port: int = 0
    connections: int = 0
    opened: asyncio.Event = field(default_factory=asyncio.Event)

    async def write(self, *texts: str, live: bool = True) -> None:
        for text in texts:
            at = START + timedelta(milliseconds=10 * len(self.lines))
            line: dict[str, object] = {
                "id": f"id-{len(self.lines)}",
                "message": text,
                "timestamp": at.isoformat(timespec="microseconds").replace("+00:00", "123Z"),
                "labels": [{"name": "resource", "value": BACKEND}, {"name": "type", "value": "app"}],
            }
            self.lines.append(line)
            if live and not self.gagged:
                for socket in self.sockets:
                    await socket.send(json.dumps(line))

    async def cut(self) -> None:
        cut = set(self.sockets)
        for socket in cut:
            socket.transport.abort()

        async def gone() -> bool:
            return not cut & self.sockets

        await eventually(gone)

    async def stream(self, socket: ServerConnection) -> None:
        self.sockets.add(socket)
        self.connections += 1
        self.opened.set()
        try:
            await socket.wait_closed()
        finally:
            self.sockets.discard(socket)

    def gate(self, _: ServerConnection, request: Request) -> Response | None:
        query = parse_qs(urlsplit(request.path).query)
        assert request.headers["Authorization"] == f"Bearer {TOKEN}"
        assert query["ownerId"] == [OWNER]
        assert query["resource"] == [BACKEND, FRONTEND]
        if self.refuse:
            return Response(self.refuse, "no", request.headers.__class__())
        return None

    def history(self, request: httpx.Request) -> httpx.Response:
        if self.history_status != 200:
            return httpx.Response(self.history_status, json={"id": "e", "message": "no"})
        start = str(request.url.params["startTime"])
        shown = self.lines[: len(self.lines) - self.hidden]
        found = [line for line in shown if parse_ns(str(line["timestamp"])) >= parse_ns(start)]
        page, rest = found[: self.page], found[self.page :]
        body = {
            "hasMore": bool(rest),
            "nextStartTime": rest[0]["timestamp"] if rest else start,
            "nextEndTime": "2026-02-05T00:00:00Z",
            "logs": page,
        }
        return httpx.Response(200, json=body)


@dataclass
class Follower:
    """What was heard so far, and the states of the connection."""

    heard: list[LogEntry] = field(default_factory=list)
    statuses: list[tuple[bool, str]] = field(default_factory=list)
    task: asyncio.Task[None] | None = None

    @property
    def texts(self) -> list[str]:
        return [entry.text for entry in self.heard]

    async def until(self, condition: Callable[[], bool]) -> None:
        async def look() -> bool:
            if self.task is not None and self.task.done():
                self.task.result()
            return condition()

        await eventually(look)


@pytest.fixture
async def provider() -> AsyncIterator[Provider]:
    made = Provider()
    async with serve(made.stream, "127.0.0.1", 0, process_request=made.gate) as server:
        made.port = next(iter(server.sockets)).getsockname()[1]
        yield made


@asynccontextmanager
async def following(provider: Provider, contract: Contract, timing: Timing = QUICK) -> AsyncIterator[Follower]:
    follower = Follower()
    transport = HeldToContract(contract, httpx.MockTransport(provider.history))
    url = f"http://127.0.0.1:{provider.port}/v1"
    async with RenderClient(url, Secret(TOKEN, "KEY"), OWNER, WallClock(), transport=transport) as client:
        telemetry = RenderTelemetry(
            client, on_status=lambda ok, why: follower.statuses.append((ok, why)), timing=timing
        )

        async def listen() -> None:
            async with aclosing(telemetry.follow([BACKEND, FRONTEND], since=START)) as lines:  # type: ignore[type-var]
                async for entry in lines:
                    follower.heard.append(entry)

        follower.task = asyncio.create_task(listen())
        try:
            yield follower
        finally:
            follower.task.cancel()
            await asyncio.gather(follower.task, return_exceptions=True)


def connected(follower: Follower) -> Callable[[], bool]:
    return lambda: bool(follower.statuses) and follower.statuses[-1][0]


async def test_history_comes_first_and_live_lines_follow(provider: Provider, contract: Contract) -> None:
    await provider.write(*(f"old {n}" for n in range(10)))
    async with following(provider, contract) as follower:
        await follower.until(connected(follower))
        await provider.write("new 0", "new 1")
        await follower.until(lambda: len(follower.heard) == 12)
    assert follower.texts == [*(f"old {n}" for n in range(10)), "new 0", "new 1"]
    entry = follower.heard[-1]
    assert (entry.service, entry.kind, entry.at) == (BACKEND, "app", START + timedelta(milliseconds=110))


async def test_drops_lose_nothing_and_double_nothing(provider: Provider, contract: Contract) -> None:
    async with following(provider, contract) as follower:
        for turn in range(6):
            await follower.until(connected(follower))
            await provider.write(f"live {turn}")
            await provider.cut()
            await provider.write(f"missed {turn}a", f"missed {turn}b", live=False)
            await follower.until(lambda expected=3 * (turn + 1): len(follower.heard) >= expected)  # type: ignore[misc]
        await follower.until(connected(follower))
        await provider.write("end")
        await follower.until(lambda: follower.texts[-1:] == ["end"])
    assert follower.texts == [str(line["message"]) for line in provider.lines]
    assert (False, "the log connection ended") in follower.statuses
    assert provider.connections >= 6


async def test_lines_that_the_history_shows_late_come_late(provider: Provider, contract: Contract) -> None:
    await provider.write("a")
    await provider.write("b", "c", live=False)
    provider.hidden = 2
    async with following(provider, contract) as follower:
        await follower.until(connected(follower))
        assert follower.texts == ["a"]
        provider.hidden = 0
        await follower.until(lambda: len(follower.heard) == 3)
        await provider.write("d")
        await follower.until(lambda: len(follower.heard) == 4)
    assert follower.texts == ["a", "b", "c", "d"]


async def test_a_refused_subscription_is_replaced_by_reading(provider: Provider, contract: Contract) -> None:
    provider.refuse = 426
    async with following(provider, contract) as follower:
        await provider.write("one")
        await follower.until(lambda: follower.texts == ["one"])
        await provider.write("two", "three")
        await follower.until(lambda: len(follower.heard) == 3)
        assert {ok for ok, _ in follower.statuses} == {False}
        assert "426" in follower.statuses[-1][1]
        provider.refuse = 0
        await follower.until(connected(follower))
    assert follower.texts == ["one", "two", "three"]


async def test_a_connection_that_stays_silent_is_given_up(provider: Provider, contract: Contract) -> None:
    async with following(provider, contract) as follower:
        await follower.until(connected(follower))
        provider.gagged = True
        for n in range(4):
            await provider.write(f"unsaid {n}")
            await follower.until(lambda expected=n + 1: len(follower.heard) == expected)  # type: ignore[misc]
            if provider.connections > 1:
                break
        await follower.until(lambda: provider.connections > 1)
    assert (False, "the log connection was silent while lines were written") in follower.statuses
    assert follower.texts == [str(line["message"]) for line in provider.lines]


async def test_garbage_on_the_wire_costs_the_connection_and_no_line(provider: Provider, contract: Contract) -> None:
    async with following(provider, contract) as follower:
        await follower.until(connected(follower))
        await provider.write("a")
        for socket in provider.sockets:
            await socket.send("not json")
        await provider.write("b")
        await follower.until(lambda: provider.connections == 2 and len(follower.heard) == 2)
    assert follower.texts == ["a", "b"]


async def test_a_wrong_key_ends_it_with_a_reason(provider: Provider, contract: Contract) -> None:
    provider.refuse = provider.history_status = 401
    async with following(provider, contract) as follower:
        assert follower.task is not None
        with pytest.raises(HostingError, match="401") as refused:
            await asyncio.wait_for(asyncio.shield(follower.task), 10)
    assert TOKEN not in f"{refused.value!r}{follower.statuses}"


async def test_many_lines_of_one_moment_do_not_trap_the_reader(provider: Provider, contract: Contract) -> None:
    await provider.write(*(str(n) for n in range(8)))
    for line in provider.lines:
        line["timestamp"] = provider.lines[0]["timestamp"]
    await provider.write("later")
    provider.page = 8
    async with following(provider, contract) as follower:
        await follower.until(lambda: "later" in follower.texts)
    assert len(follower.texts) == 9


async def test_the_stand_ins_drops_lose_nothing(start_world: StartWorld, contract: Contract) -> None:
    """The fault `ws-drop` cuts every connection after forty lines."""
    world = await start_world("ws-drop")
    follower = Follower()
    transport = HeldToContract(contract, httpx.AsyncHTTPTransport())
    since = datetime.now(UTC) - timedelta(hours=1)
    async with RenderClient(
        world.stand_in.url, Secret(WORLD_TOKEN, "KEY"), OWNER, WallClock(), transport=transport
    ) as client:
        telemetry = RenderTelemetry(client, timing=QUICK)

        async def listen() -> None:
            async for entry in telemetry.follow([BACKEND], since=since):
                if entry.kind == "request":
                    follower.heard.append(entry)

        follower.task = asyncio.create_task(listen())
        for number in range(130):
            await world.visit(path=f"/{number}")
        await follower.until(lambda: len(follower.heard) >= 130)
        follower.task.cancel()
        await asyncio.gather(follower.task, return_exceptions=True)
    assert [entry.labels["path"] for entry in follower.heard] == [f"/{number}" for number in range(130)]


def test_what_is_remembered_is_bounded() -> None:
    def entry(number: int) -> LogEntry:
        return LogEntry(f"id-{number}", START + timedelta(seconds=number), "s", "text")

    seen = Seen(capacity=100)
    assert len(seen.fresh([entry(n) for n in range(250)])) == 250
    assert seen.fresh([entry(n) for n in range(150, 250)]) == []
    assert seen.newest == entry(249).at
    assert seen.forgotten == entry(149).at
    assert seen.fresh([entry(n) for n in range(100, 252)], history=True) == [entry(250), entry(251)]
