"""The console with a stop-watch in it: when lines arrive, when they are painted, when a key is answered."""

import asyncio
import time
from collections.abc import Awaitable, Callable
from datetime import timedelta

from rich.style import Style
from textual import events
from textual.strip import Strip

from console.domain.hosting import LogEntry
from screens.app import ConsoleApp
from screens.ring import LogLine, Ring
from screens.widgets import tail
from screens.widgets.panes import Checklist
from tests.screens.fakes import FakeFeed, FakeHelm
from tests.screens.moments import MOMENTS
from tests.screens.story import BEGIN

KEY_EVERY = 0.15


class Probe:
    """One application with its feed; `lags` and `key_lags` in seconds."""

    def __init__(self, app: ConsoleApp, feed: FakeFeed) -> None:
        self.app = app
        self.feed = feed
        self.lags: list[float] = []
        self.key_lags: list[float] = []
        self._arrived: list[float] = []
        self._pressed: float | None = None
        self._before = 0

    @classmethod
    def of(cls, name: str) -> "Probe":
        """The application at a moment of the gallery, its clock running."""
        moment = MOMENTS[name]()
        feed = FakeFeed(moment.state, moment.log)
        begun = time.monotonic()
        app = ConsoleApp(feed, FakeHelm(), now=lambda: moment.now + timedelta(seconds=time.monotonic() - begun))
        return cls(app, feed)

    def run_beside(self, measure: Callable[[], Awaitable[None]]) -> None:
        """Run the application with a measurement beside it."""

        async def measured() -> None:
            try:
                await measure()
            finally:
                self.app.exit()

        async def both() -> None:
            task = asyncio.create_task(measured())
            await self.app.run_async()
            await task

        asyncio.run(both())

    def begin(self) -> None:
        """Start the stop-watch: from here on every drawn line and every moved cursor is noted."""
        draw, show = tail.draw, Checklist.render_line
        self._before = self._ring.end

        def drawn(line: LogLine, width: int, style: Callable[[str], Style]) -> Strip:
            self._painted()
            return draw(line, width, style)

        def rendered(checklist: Checklist, y: int) -> Strip:
            self._answered()
            return show(checklist, y)

        tail.draw = drawn
        Checklist.render_line = rendered  # type: ignore[method-assign]

    def log(self, start: int, number: int) -> None:
        """So many lines arrive now."""
        entries = tuple(
            LogEntry(str(n), BEGIN, "srv-b", f"GET /api/accounts/{n} 200 {n % 90}ms", level="info")
            for n in range(start, start + number)
        )
        if entries:
            self._arrived.append(time.monotonic())
            self.feed.log(*entries)

    @property
    def _ring(self) -> Ring:
        if self.app.listening is None:
            raise RuntimeError("the application has no run")
        return self.app.listening.ring

    def received(self) -> int:
        """How many of them reached the ring."""
        return self._ring.end - self._before

    def held(self) -> int:
        """How many lines are kept."""
        return len(self._ring)

    async def press_now_and_then(self) -> None:
        """Move the cursor up and down, and note how long each answer takes."""
        while True:
            for key in ("up", "down"):
                await asyncio.sleep(KEY_EVERY)
                self._pressed = time.monotonic()
                self.app.post_message(events.Key(key, None))

    def _painted(self) -> None:
        now = time.monotonic()
        self.lags.extend(now - arrived for arrived in self._arrived)
        self._arrived.clear()

    def _answered(self) -> None:
        if self._pressed is not None:
            self.key_lags.append(time.monotonic() - self._pressed)
            self._pressed = None
