"""The one writer of a run: decides on the state of the moment, makes it durable, folds it, tells the feed.

Requests are served one after the other in the order in which they came. An event is written only if it can
be folded; what follows from it by itself (criteria, alerts) is written right behind it.
"""

import asyncio
from collections.abc import Callable, Iterable, Sequence

from console.domain.consequences import consequences
from console.domain.events import Draft, Event
from console.domain.fold import apply, fold
from console.domain.plan import Json, Plan
from console.domain.state import RunState
from console.engine.feed import RunFeed
from console.errors import ConsoleError, JournalError, Refused, TakenOver
from console.ports import Clock, Journal, StateChanged

Decision = Callable[[RunState], Sequence[Draft]]
"""Looks at the state when its turn has come and says what happens; may raise Refused."""

CONSOLE = "console"
"""The actor of events that the console states by itself."""


def let_go() -> Refused:
    """What whoever still asks for something hears when nobody drives here any more."""
    return Refused("The console has let go of this run.", remedy="Start the console again; it takes the run up.")


class Writer:
    """Serves requests for events. `state` is the fold of everything that is durable."""

    def __init__(self, plan: Plan, journal: Journal, clock: Clock, feed: RunFeed, redact: Callable[[str], str]) -> None:
        self._journal = journal
        self._clock = clock
        self._feed = feed
        self._redact = redact
        self._queue: asyncio.Queue[tuple[Decision, str, asyncio.Future[tuple[Event, ...]]] | None] = asyncio.Queue()
        self._shut: ConsoleError | None = None
        self.state: RunState = fold(plan, journal.events())
        self.trouble: JournalError | None = None
        self.taken_over: TakenOver | None = None
        feed.publish(StateChanged(self.state, ()))

    @property
    def ends(self) -> bool:
        """Whether this console may begin nothing more: what runs stops at its next safe point."""
        return self.trouble is not None or self.taken_over is not None

    async def record(self, decision: Decision, actor: str | None = None) -> tuple[Event, ...]:
        """Queue a decision and wait until what it says is durable. Raises JournalError and what the decision raises."""
        if self._shut is not None:
            raise self._shut
        done: asyncio.Future[tuple[Event, ...]] = asyncio.get_running_loop().create_future()
        self._queue.put_nowait((decision, actor or CONSOLE, done))
        return await done

    def poke(self) -> None:
        """Let `serve` return once more although nobody asked for anything."""
        self._queue.put_nowait(None)

    async def serve(self) -> None:
        """Serve the next request."""
        request = await self._queue.get()
        if request is None:
            return
        decision, actor, done = request
        try:
            events = await self.append(decision(self.state), actor)
        except Exception as error:
            if not done.done():
                done.set_exception(error)
            return
        except BaseException:
            if not done.done():
                done.set_exception(let_go())
            raise
        if not done.done():
            done.set_result(events)
        if events:
            await self.follow_up()

    async def append(self, drafts: Iterable[Draft], actor: str = CONSOLE) -> tuple[Event, ...]:
        """Make drafts durable, one after the other; those before a failure stand. Raises JournalError."""
        written: list[Event] = []
        try:
            for draft in drafts:
                written.append(await self._append(draft, actor))
        finally:
            if written:
                self._feed.publish(StateChanged(self.state, tuple(written)))
        return tuple(written)

    async def follow_up(self) -> None:
        """Write what follows from the state by itself; what keeps it from being written is `trouble`."""
        try:
            await self.append(consequences(self.state))
        except JournalError as error:
            self.trouble = error

    def shut(self, error: ConsoleError) -> None:
        """Answer every waiting and every later request with this error."""
        self._shut = error
        while not self._queue.empty():
            request = self._queue.get_nowait()
            if request is not None and not request[2].done():
                request[2].set_exception(error)

    async def _append(self, draft: Draft, actor: str) -> Event:
        last = self.state.last_at
        now = self._clock.now()
        at = now if last is None else max(now, last)
        clean = Draft(draft.kind, draft.step, {key: self._clean(value) for key, value in draft.data.items()})
        apply(self.state, Event(self.state.seq + 1, at, self._journal.run, actor, clean.kind, clean.step, clean.data))
        try:
            event = await self._journal.append(clean, at=at, actor=actor)
        except JournalError as error:
            self.trouble = error
            raise
        self.state = apply(self.state, event)
        return event

    def _clean(self, value: Json) -> Json:
        """A value of an event's data without secrets."""
        if isinstance(value, str):
            return self._redact(value)
        if isinstance(value, list | tuple):
            return [self._clean(item) for item in value]
        if isinstance(value, dict):
            return {key: self._clean(item) for key, item in value.items()}
        return value
