"""The log: what is in it, how it is filtered and paged, and how it streams."""

import asyncio
import json
from itertools import pairwise
from pathlib import Path
from typing import Any

import httpx
import pytest
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosedError, InvalidStatus

from console.sandbox.render.log_query import LogQuery, label_condition, text_condition
from console.sandbox.render.log_store import LogStore
from console.sandbox.render.times import NS, parse_ns, rfc3339_ns
from tests.sandbox.render.conftest import BACKEND, DATABASE, FRONTEND, OWNER, TOKEN, StartWorld, World

LOGS: dict[str, Any] = {"ownerId": OWNER, "resource": [BACKEND]}
BEGINNING = "2020-01-01T00:00:00Z"


async def test_requests_are_logged_with_their_labels(world: World, api: httpx.AsyncClient) -> None:
    await world.visit(path="/accounts?page=2", method="POST", content=b"{}")
    (entry,) = (await api.get("/logs", params=LOGS | {"type": "request"})).json()["logs"]
    labels = _labels(entry)
    instance = labels.pop("instance")
    assert instance.startswith(f"{BACKEND}-")
    assert labels == {
        "resource": BACKEND,
        "type": "request",
        "level": "info",
        "method": "POST",
        "statusCode": "200",
        "host": f"127.0.0.1:{world.ports[0]}",
        "path": "/accounts",
    }
    assert entry["message"].startswith("[POST]200")
    assert "/accounts?page=2" in entry["message"]


async def test_lines_of_the_app_have_a_level(world: World, api: httpx.AsyncClient) -> None:
    await world.visit(path="/broken")
    (error,) = (await api.get("/logs", params=LOGS | {"type": "app", "level": "error"})).json()["logs"]
    assert "42703" in error["message"]


async def test_builds_write_a_log(world: World, api: httpx.AsyncClient) -> None:
    found = (await api.get("/logs", params=LOGS | {"type": "build", "direction": "forward"})).json()["logs"]
    messages = [entry["message"] for entry in found]
    assert messages[0].startswith("==> Cloning from file:///")
    assert world.first in messages[1]
    assert messages[-1] == "==> Your service is live"


@pytest.mark.parametrize("direction", ["forward", "backward"])
async def test_pages_hold_every_entry_once(world: World, api: httpx.AsyncClient, direction: str) -> None:
    for number in range(7):
        await world.visit(path=f"/{number}")
    query: dict[str, Any] = LOGS | {"type": "request", "direction": direction, "limit": 3, "startTime": BEGINNING}
    seen: list[str] = []
    sizes: list[int] = []
    while True:
        page = (await api.get("/logs", params=query)).json()
        sizes.append(len(page["logs"]))
        seen += [label["value"] for entry in page["logs"] for label in entry["labels"] if label["name"] == "path"]
        if not page["hasMore"]:
            break
        query |= {"startTime": page["nextStartTime"], "endTime": page["nextEndTime"]}
    expected = [f"/{number}" for number in range(7)]
    assert seen == (expected if direction == "forward" else expected[::-1])
    assert sizes == [3, 3, 1]


async def test_filters(world: World, api: httpx.AsyncClient) -> None:
    for path, method in (("/a1", "GET"), ("/a2", "GET"), ("/b", "POST")):
        await world.visit(path=path, method=method)
    cases: list[tuple[dict[str, list[str]], list[str]]] = [
        ({"path": ["/a*"]}, ["/a1", "/a2"]),
        ({"path": ["/a1", "/b"]}, ["/a1", "/b"]),
        ({"path": ["/a[12]$/"]}, ["/a1", "/a2"]),
        ({"method": ["POST"]}, ["/b"]),
        ({"statusCode": ["5*", "404"]}, []),
        ({"statusCode": ["2*"], "text": ["POST*127"]}, ["/b"]),
        ({"host": ["elsewhere*"]}, []),
        ({"task": ["any"]}, []),
    ]
    for more, paths in cases:
        query = LOGS | {"type": ["request"], "direction": "forward"} | more
        found = (await api.get("/logs", params=query)).json()["logs"]
        assert [_labels(entry)["path"] for entry in found] == paths, more


async def test_the_stream_brings_what_matches_from_now_on(world: World) -> None:
    await world.visit(path="/before")
    async with _stream(world, f"resource={BACKEND}&resource={FRONTEND}&type=request&path=/n*") as stream:
        await world.visit(path="/no")
        await world.visit(path="/other")
        await world.visit(FRONTEND, path="/now")
        entries = [json.loads(await stream.recv()) for _ in range(2)]
        assert ["/no" in entries[0]["message"], "/now" in entries[1]["message"]] == [True, True]


@pytest.mark.parametrize(
    ("query", "token", "status"),
    [
        (f"ownerId={OWNER}&resource={BACKEND}", "wrong", 401),
        (f"ownerId={OWNER}", TOKEN, 400),
        (f"ownerId={OWNER}&resource=srv-unknown", TOKEN, 404),
    ],
)
async def test_the_stream_refuses_before_it_opens(world: World, query: str, token: str, status: int) -> None:
    url = f"{world.stand_in.url.replace('http', 'ws')}/logs/subscribe?{query}"
    with pytest.raises(InvalidStatus) as refused:
        async with connect(url, additional_headers={"Authorization": f"Bearer {token}"}, proxy=None):
            pass
    assert refused.value.response.status_code == status
    assert json.loads(refused.value.response.body)["message"]


async def test_a_dropped_stream_loses_nothing_that_the_log_does_not_have(start_world: StartWorld) -> None:
    world = await start_world("ws-drop")
    received: list[dict[str, Any]] = []
    counts = [0]
    for _ in range(2):
        async with _stream(world, f"resource={BACKEND}&type=request") as stream:
            visits = asyncio.create_task(_visits(world, 45))
            with pytest.raises(ConnectionClosedError) as lost:
                await _receive_into(received, stream)
            assert lost.value.rcvd is None
            await visits
        counts.append(len(received))
    assert all(0 < after - before <= 40 for before, after in pairwise(counts))
    async with world.client() as api:
        logged = (await api.get("/logs", params=LOGS | {"type": "request", "limit": 100})).json()["logs"]
    assert len(logged) == 90
    assert {entry["id"] for entry in received} < {entry["id"] for entry in logged}


def test_timestamps_increase_whatever_the_clock_does(tmp_path: Path) -> None:
    clock = iter([5 * NS, 5 * NS, 4 * NS, 6 * NS + 123_456_789])
    store = LogStore(tmp_path, lambda: next(clock))
    times = [store.append("line", {"resource": "srv-1"}).at_ns for _ in range(4)]
    assert times == sorted(set(times))
    assert rfc3339_ns(times[-1]) == "1970-01-01T00:00:06.123456789Z"


def test_the_log_survives_a_torn_line(tmp_path: Path) -> None:
    store = LogStore(tmp_path, lambda: NS)
    store.open()
    first = store.append("one", {"resource": "srv-1"})
    store.append("two", {"resource": "srv-1"}, latency_ms=1.5)
    store.close()
    file = tmp_path / "logs.jsonl"
    file.write_bytes(file.read_bytes() + b'{"id":"half')

    again = LogStore(tmp_path, lambda: NS)
    again.open()
    third = again.append("three", {"resource": "srv-1"})
    again.close()
    everything = LogQuery(frozenset({"srv-1"}), 0, 9 * NS)
    assert [entry.message for entry in again.matching(everything)] == ["one", "two", "three"]
    assert [entry.latency_ms for entry in again.requests()] == [1.5]
    assert third.at_ns > first.at_ns
    last = LogStore(tmp_path)
    last.open()
    last.close()
    assert [entry.message for entry in last.matching(everything)] == ["one", "two", "three"]


def test_pages_end_between_entries_for_clocks_of_microseconds(tmp_path: Path) -> None:
    clock = iter(range(NS + 1, 2 * NS, 1_500))
    store = LogStore(tmp_path, lambda: next(clock))
    for number in range(10):
        store.append(str(number), {"resource": "srv-1"})
    for forward in (True, False):
        start, end = 0, 2 * NS
        seen: list[str] = []
        more = True
        while more:
            page = store.page(LogQuery(frozenset({"srv-1"}), start, end), forward=forward, limit=3)
            seen += [entry.message for entry in page.entries]
            more = page.has_more
            start, end = page.next_start_ns // 1000 * 1000, page.next_end_ns // 1000 * 1000
        assert seen == sorted(map(str, range(10)), reverse=not forward)


async def test_a_slow_reader_is_cut_off_instead_of_left_with_a_gap(tmp_path: Path) -> None:
    store = LogStore(tmp_path)
    with store.subscribe(LogQuery(frozenset({"srv-1"}), 0, 0)) as subscription:
        for _ in range(20_001):
            store.append("line", {"resource": "srv-1"})
        assert subscription.overflowed
        assert [entry async for entry in subscription.entries()] == []


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("1970-01-01T00:00:01Z", NS),
        ("1970-01-01T00:00:01.000000001z", NS + 1),
        ("1970-01-01T01:00:01.5+01:00", NS + NS // 2),
        ("1970-01-01T01:00:01 01:00", NS),
        ("1700000000", 1_700_000_000 * NS),
        ("1700000000.25", 1_700_000_000 * NS + NS // 4),
    ],
)
def test_timestamps_are_read_in_every_form(text: str, expected: int) -> None:
    assert parse_ns(text) == expected


@pytest.mark.parametrize("text", ["", "yesterday", "2026-02-30T00:00:00Z", "2026-02-04", "12"])
def test_other_timestamps_are_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r".+"):
        parse_ns(text)


def test_conditions_take_wildcards_and_regular_expressions() -> None:
    assert label_condition("srv-*-x")("srv-1-x")
    assert not label_condition("srv")("srv-1")
    assert label_condition("/^5../")("503")
    assert text_condition("has NO field")('record "new" has no field "license_status"')
    with pytest.raises(ValueError, match="regular expression"):
        text_condition("/[/")


async def test_a_database_has_a_log_too(world: World, api: httpx.AsyncClient) -> None:
    page = (await api.get("/logs", params={"ownerId": OWNER, "resource": DATABASE})).json()
    assert (page["logs"], page["hasMore"]) == ([], False)


def _stream(world: World, query: str) -> connect:
    url = f"{world.stand_in.url.replace('http', 'ws')}/logs/subscribe?ownerId={OWNER}&{query}"
    return connect(url, additional_headers={"Authorization": f"Bearer {TOKEN}"}, proxy=None)


def _labels(entry: dict[str, Any]) -> dict[str, str]:
    return {label["name"]: label["value"] for label in entry["labels"]}


async def _receive_into(received: list[dict[str, Any]], stream: ClientConnection) -> None:
    while True:
        received.append(json.loads(await stream.recv()))


async def _visits(world: World, count: int) -> None:
    for number in range(count):
        await world.visit(path=f"/{number}")
