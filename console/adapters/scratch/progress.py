"""Reporting from work that cannot report by itself: a thread, or a program's output."""

import asyncio
import threading
from collections.abc import Callable, Coroutine
from typing import TypeVar

from console.domain.outcome import Progress
from console.ports import Report

_EVERY_S = 0.25

T = TypeVar("T")


class GivenUp(Exception):
    """Raised in the thread of a work that nobody waits for any more."""


async def watched(work: Coroutine[object, object, T], say: Callable[[], Progress], report: Report) -> T:
    """Await `work`, reporting what `say` says now and then. Cancelled with its caller."""
    task = asyncio.create_task(work)
    try:
        await _until_done(task, say, report)
        return task.result()
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


async def watched_thread(
    work: Callable[[Callable[[int], None]], T], say: Callable[[int], Progress], report: Report
) -> T:
    """Run `work` in a thread, reporting the amount that it passes on. When cancelled, the thread ends first."""
    amount = 0
    given_up = threading.Event()

    def on_amount(done: int) -> None:
        nonlocal amount
        amount = done
        if given_up.is_set():
            raise GivenUp

    task = asyncio.create_task(asyncio.to_thread(work, on_amount))
    try:
        await _until_done(task, lambda: say(amount), report)
    finally:
        given_up.set()
        await asyncio.gather(task, return_exceptions=True)
    return task.result()


async def _until_done(task: asyncio.Task[T], say: Callable[[], Progress], report: Report) -> None:
    while not (await asyncio.wait({task}, timeout=_EVERY_S))[0]:
        await report(say())
