"""Many who listen, in a process of its own: `python -m tests.benchmarks.observer_child HOW MANY EVENTS NAME`.

HOW is `watch` (observers of the run NAME, each with a state of its own) or `listen` (the yardstick: bare LISTEN loops
on the channel NAME). The connection string is in JOURNAL_URL. Says `ready` when all listen, and at the end, as JSON,
when each of them had each event: a list of times of the monotonic clock for each listener, in order of the events.
"""

import asyncio
import gc
import json
import os
import sys
import time

import psycopg

from console.adapters.journal.observer import PostgresObserverStore
from console.engine.clock import WallClock
from console.engine.follow_store import StoreFollower
from console.ports import StateChanged, Update
from console.secrets import Secret

PATIENCE_S = 60.0
AT_ONCE = 8
"""How many connect at a time."""


async def watch(url: str, run: str, events: int, door: asyncio.Semaphore, ready: asyncio.Barrier) -> list[float]:
    """An observer as `release-console watch` is one, without its screens."""
    store = PostgresObserverStore(Secret(url, "JOURNAL_URL"), tls="disable", person="bench@here", seconds=PATIENCE_S)
    seen: list[float] = []
    complete = asyncio.Event()

    def note(update: Update) -> None:
        if isinstance(update, StateChanged):
            seen.extend([time.monotonic()] * len(update.events))
            if len(seen) >= events:
                complete.set()

    try:
        async with door:
            follower = await StoreFollower.open(store, run, WallClock())
            follower.feed.subscribe(note)
            await follower.catch_up()
        following = asyncio.create_task(follower.follow())
        await ready.wait()
        await complete.wait()
        following.cancel()
        await asyncio.wait({following})
        return seen
    finally:
        await store.close()


async def listen(url: str, channel: str, events: int, door: asyncio.Semaphore, ready: asyncio.Barrier) -> list[float]:
    """The yardstick: notifications as they come, looked at no further."""
    async with door:
        connection = await psycopg.AsyncConnection.connect(url, autocommit=True)
    async with connection:
        await connection.execute(f"LISTEN {channel}".encode())
        await ready.wait()
        seen: list[float] = []
        async for _ in connection.notifies(timeout=PATIENCE_S, stop_after=events):
            seen.append(time.monotonic())
            if len(seen) == events:
                break
        return seen


async def main() -> None:
    how, amount, events, name = sys.argv[1], int(sys.argv[2]), int(sys.argv[3]), sys.argv[4]
    work = {"watch": watch, "listen": listen}[how]
    door, ready = asyncio.Semaphore(AT_ONCE), asyncio.Barrier(amount + 1)
    url = os.environ["JOURNAL_URL"]
    listeners = [asyncio.create_task(work(url, name, events, door, ready)) for _ in range(amount)]
    gate = asyncio.create_task(ready.wait())
    await asyncio.wait({gate, *listeners}, return_when=asyncio.FIRST_COMPLETED)
    # A hundred observers share this heap; in a process of their own they would not walk through each other's states.
    gc.collect()
    gc.freeze()
    if gate.done():
        print("ready", flush=True)
    print(json.dumps(await asyncio.gather(*listeners)), flush=True)


if __name__ == "__main__":
    asyncio.run(main())
