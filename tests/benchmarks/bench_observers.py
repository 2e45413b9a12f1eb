"""An event's way to fifty and to two hundred observers of one PostgreSQL store, beside bare LISTEN loops.

Both are measured in turn on the same server: the yardstick's notification carries the same line. Ours counts from the
call of `append` until the line stands in the observer's state.
"""

import asyncio
import json
import os
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path
from statistics import median

import psycopg

from console.actions.catalogue import CATALOGUE
from console.adapters.journal.driver import PostgresDriverStore
from console.adapters.journal.schema import install
from console.config import load
from console.domain.events import Event, Kind
from console.domain.plan import Json
from console.domain.shared import Lease
from console.domain.wire import GENESIS, encode_event, encode_plan, line_digest
from console.sandbox.cluster import Cluster
from console.sandbox.loopback import free_port
from console.sandbox.postgres_tools import data_folder, find_tools
from console.secrets import Secret
from tests.benchmarks.figures import Figure

OBSERVERS = (50, 200)
PROCESSES = 2
"""How many processes the listeners share: as many as there are cores."""
WARM = 10
"""Events that are not counted: the first ones wait for plans to be made and modules to be loaded, here as there."""
EVENTS = 70
"""Events in all, in each round."""
RATE = 20.0
"""Events a second."""
ROUNDS = 5
BUDGET = 1.5
_PATIENCE_S = 120.0
_PASSWORD = "of-the-benchmark"

Send = Callable[[int, bytes], Awaitable[object]]


def measure() -> list[Figure]:
    """Milliseconds to the observers' state and to the bare loops, p50 and p99, and their ratio."""
    return asyncio.run(_measured())


async def _measured() -> list[Figure]:
    figures: list[Figure] = []
    async with _server() as url:
        await install(Secret(url, "the benchmark"), tls="disable")
        for amount in OBSERVERS:
            rounds = [
                (await _ours(url, amount, f"bench-{amount}-{n}"), await _bare(url, amount)) for n in range(ROUNDS)
            ]
            figures += _figures(amount, rounds)
    return figures


def _figures(amount: int, rounds: list[tuple[list[float], list[float]]]) -> list[Figure]:
    """The median of the rounds: one in which the machine was busy otherwise does not decide."""
    shares = {share: [(_share(ours, share), _share(bare, share)) for ours, bare in rounds] for share in (0.5, 0.99)}
    ratios = {share: median(ours / bare for ours, bare in pairs) for share, pairs in shares.items()}
    figures = [
        Figure(f"{what}, p{share * 100:.0f}", median(pair[at] for pair in pairs) * 1000, "ms")
        for at, what in enumerate(
            (f"append to the state of {amount} observers", f"NOTIFY to {amount} bare LISTEN loops")
        )
        for share, pairs in shares.items()
    ]
    note = f"{ratios[0.5]:.2f} × at p50; {ROUNDS} rounds"
    against = f"{amount} observers against bare LISTEN loops, p99"
    return [*figures, Figure(against, ratios[0.99], "×", budget=BUDGET, note=note)]


async def _ours(url: str, amount: int, run: str) -> list[float]:
    """Seconds from the call of `append` to each observer's state."""
    store = PostgresDriverStore(Secret(url, "the benchmark"), tls="disable")
    try:
        await store.create(run, encode_plan(load(Path("config.toml"), CATALOGUE)))
        await store.claim(run, Lease(0, "bench@here", "here", os.getpid(), datetime.now(UTC)), expected=0)
        return await _sent(url, "watch", amount, run, lambda seq, line: store.append(run, 1, seq, [line]))
    finally:
        await store.close()


async def _bare(url: str, amount: int) -> list[float]:
    """Seconds from a NOTIFY to each bare loop."""
    async with await psycopg.AsyncConnection.connect(url, autocommit=True, prepare_threshold=None) as connection:

        async def send(seq: int, line: bytes) -> None:
            await connection.execute(b"SELECT pg_notify('bench', %s)", (f"l{seq} {line.decode()}",))

        return await _sent(url, "listen", amount, "bench", send)


async def _sent(url: str, how: str, amount: int, name: str, send: Send) -> list[float]:
    """Send events at the rate to as many listeners, and hear from them when each arrived."""
    processes = [await _listening(url, how, amount // PROCESSES, name) for _ in range(PROCESSES)]
    try:
        for process in processes:
            if (said := await _said(process)) != "ready\n":
                raise RuntimeError(f"the listeners did not come up: {said}")
        at: list[float] = []
        begun = time.monotonic()
        for number, line in enumerate(_lines(name), 1):
            # The rate of the load, not a wait for anything.
            await asyncio.sleep(max(begun + number / RATE - time.monotonic(), 0))
            at.append(time.monotonic())
            await send(number, line)
        arrivals: list[list[float]] = [each for process in processes for each in json.loads(await _said(process))]
    finally:
        for process in processes:
            if process.returncode is None:
                process.kill()
            await process.wait()
    assert [len(each) for each in arrivals] == [EVENTS] * amount
    return [seen - sent for each in arrivals for seen, sent in list(zip(each, at, strict=True))[WARM:]]


async def _listening(url: str, how: str, amount: int, name: str) -> asyncio.subprocess.Process:
    return await asyncio.create_subprocess_exec(
        sys.executable,
        *("-m", "tests.benchmarks.observer_child", how, str(amount), str(EVENTS), name),
        stdout=asyncio.subprocess.PIPE,
        env={**os.environ, "JOURNAL_URL": url},
        limit=64 * 1024 * 1024,
    )


async def _said(process: asyncio.subprocess.Process) -> str:
    assert process.stdout is not None
    async with asyncio.timeout(_PATIENCE_S):
        return (await process.stdout.readline()).decode()


def _lines(run: str) -> list[bytes]:
    """The lines of a run: what a step says while it works."""
    lines: list[bytes] = []
    for seq in range(1, EVENTS + 1):
        data: dict[str, Json] = {"text": f"row {seq * 7} of 449", "share": 0.5, "data": {}}
        event = Event(seq, datetime.now(UTC), run, "bench@here", Kind.STEP_PROGRESSED, "db.migrate", data)
        lines.append(encode_event(event, line_digest(lines[-1]) if lines else GENESIS))
    return lines


def _share(values: list[float], share: float) -> float:
    ordered = sorted(values)
    return ordered[min(int(len(ordered) * share), len(ordered) - 1)]


@asynccontextmanager
async def _server() -> AsyncIterator[str]:
    """A server of the benchmark's own, with room for everybody; its connection string."""
    tools = find_tools()
    with tempfile.TemporaryDirectory() as folder:
        home = data_folder(tools, Path(folder))
        cluster = Cluster(tools, home / "store", free_port(), _PASSWORD)
        try:
            await cluster.create()
            with (cluster.data / "postgresql.auto.conf").open("a") as settings:
                settings.write(f"max_connections = {max(OBSERVERS) + 50}\n")
            await cluster.start()
            yield f"postgresql://postgres:{_PASSWORD}@127.0.0.1:{cluster.port}/postgres?sslmode=disable"
        finally:
            await cluster.stop()
            await cluster.tools.run("/bin/rm", "-rf", str(home))
