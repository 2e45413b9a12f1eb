"""The record of the users' writes, and what counts as one that was done."""

import asyncio
from datetime import UTC, datetime
from pathlib import Path

import httpx
import pytest

from console.sandbox.contracts import Pace
from console.sandbox.traffic import Addresses, Traffic
from console.sandbox.user_writes import Answer, UserWrites
from console.sandbox.waiting import wait_until


def test_the_record_outlives_its_writer_and_leaves_out_half_a_line(tmp_path: Path) -> None:
    file = tmp_path / "writes"
    writes = UserWrites(file)
    writes.add("leads", "insert", Answer.CONFIRMED, name="Visitor 1", key=7)
    writes.close()
    between = datetime.now(UTC)
    writes.add("accounts", "update", Answer.UNKNOWN, name="Alder", key=3)
    with file.open("ab") as broken:
        broken.write(b'{"at": "2026-')
    again = UserWrites(file)
    assert [(one.table, one.key, one.answer) for one in again.since()] == [
        ("leads", 7, Answer.CONFIRMED),
        ("accounts", 3, Answer.UNKNOWN),
    ]
    assert [one.name for one in again.since(between)] == ["Alder"]
    writes.close()
    assert list(UserWrites(tmp_path / "none").since()) == []


@pytest.mark.parametrize(
    ("answer", "told"),
    [
        (httpx.Response(201, json={"id": 5, "updatedAt": "2026-02-04T20:14:03+00:00"}), Answer.CONFIRMED),
        (httpx.Response(503, text="<h1>Down for maintenance</h1>"), Answer.REFUSED),
        (httpx.Response(404, json={"error": "no such record"}), Answer.REFUSED),
        (httpx.Response(500, json={"error": "column does not exist", "sqlstate": "42703"}), Answer.REFUSED),
        (httpx.Response(500, json={"error": "terminating connection", "sqlstate": "57P01"}), Answer.UNKNOWN),
        (httpx.Response(500, json={"error": "the database cannot be reached", "sqlstate": "08006"}), Answer.UNKNOWN),
        (httpx.Response(502, text="<h1>Bad gateway</h1>"), Answer.UNKNOWN),
        (None, Answer.UNKNOWN),
    ],
)
async def test_what_a_user_was_told_of_a_write(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, answer: httpx.Response | None, told: Answer
) -> None:
    """Users go on whatever they are told; each write that they try is in the record."""

    async def answered(self: httpx.AsyncClient, request: httpx.Request, **_: object) -> httpx.Response:
        if request.method == "GET":
            accounts = [{"id": 1, "name": "Alder"}] if request.url.path == "/api/accounts" else {}
            return httpx.Response(200, json=accounts, request=request)
        if answer is None:
            raise httpx.ReadError("the line is cut", request=request)
        answer.request = request
        return answer

    monkeypatch.setattr(httpx.AsyncClient, "send", answered)
    writes = UserWrites(tmp_path / "writes")
    addresses = Addresses("http://127.0.0.1:1", "http://127.0.0.1:2")
    traffic = Traffic(addresses, writes, Pace(100_000), lambda: False, lambda: True)
    users = asyncio.create_task(traffic.run())
    try:
        await wait_until(lambda: len({one.table for one in writes.since()}) == 2, 60)
    finally:
        users.cancel()
        await asyncio.gather(users, return_exceptions=True)
        writes.close()
    assert {one.answer for one in writes.since()} == {told}
