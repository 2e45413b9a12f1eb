"""Waiting for something outside of this process that gives no notice: a file, a process's end, a port."""

import asyncio
from collections.abc import Awaitable, Callable

_POLL_S = 0.02


async def wait_until(condition: Callable[[], bool], timeout: float) -> None:
    """Return when `condition` holds; raises `TimeoutError` after `timeout` seconds."""
    async with asyncio.timeout(timeout):
        while not condition():  # noqa: ASYNC110 - the condition lies outside of this process
            await asyncio.sleep(_POLL_S)


async def watch_for(condition: Callable[[], Awaitable[bool]], every: float) -> None:
    """Return when `condition` holds, looking every so many seconds; gives up only when cancelled."""
    while not await condition():  # noqa: ASYNC110 - the condition lies outside of this process
        await asyncio.sleep(every)
