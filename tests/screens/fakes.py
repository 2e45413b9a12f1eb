"""A feed and a helm for the screens: the feed publishes what the test says, the helm records what was sent."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

from console.domain.events import Event
from console.domain.hosting import LogEntry
from console.domain.intents import Intent
from console.domain.state import FindingState, RunState
from console.errors import ConsoleError
from console.ports import LogLines, StateChanged, StepNews, TailStatus, Update
from console.report.event_lines import sign_and_text
from screens.app import ConsoleApp
from screens.reads import Reads
from tests.screens.moments import Moment
from tests.screens.story import BEGIN

REPORT = """# Account Status Consolidation

**Outcome:** completed, 15:33

| Phase | Step | Planned | Took | Status |
|---|---|---|---|---|
| Pre | Database backup | 10–20 min | 11:28 | ✔ done |
| Migrate | Run database migration | 2–5 min | 1:29 | ✔ done |

- [x] Production database backup initiated
- [x] Backup verified and stored securely
- Backup size: 0.14 GB
"""

FINDINGS = (
    FindingState(
        "services.branch",
        "blocker",
        "crm-frontend tracks “release”, the push goes to “main”",
        "GET /services/srv-f says branch “release”, auto-deploy on commit.",
        "Set the branch of crm-frontend to main, or change [[services]] branch in config.toml.",
    ),
    FindingState(
        "window.code-before-schema",
        "warning",
        "Code is live before its column: dashboards fail for 4–8 min",
        "services/queryBuilderService.js of 26c5a9f asks for accounts.account_status.",
        "Confirm the migration while the services build.",
    ),
    FindingState("backup.recovery", "note", "Point-in-time recovery reaches back 3 days", "AVAILABLE since 1 Feb"),
)


class FakeNow:
    """A clock that stands until the test moves it."""

    def __init__(self) -> None:
        self.now = BEGIN

    def __call__(self) -> datetime:
        """The time."""
        return self.now


class FakeFeed:
    """A feed that tells what it is told."""

    def __init__(self, state: RunState, tail: Sequence[LogEntry] = ()) -> None:
        self.state = state
        self.tail: Sequence[LogEntry] = list(tail)
        self.listeners: list[Callable[[Update], None]] = []
        self.clock = FakeNow()
        self.events: list[Event] = []

    async def history(self) -> Sequence[Event]:
        """Every event until now."""
        return tuple(self.events)

    def subscribe(self, listener: Callable[[Update], None]) -> Callable[[], None]:
        """Remember the listener."""
        self.listeners.append(listener)
        return lambda: self.listeners.remove(listener)

    def publish(self, update: Update) -> None:
        """Tell everybody."""
        if isinstance(update, StateChanged):
            self.state = update.state
            self.events.extend(update.events)
        for listener in list(self.listeners):
            listener(update)

    def log(self, *entries: LogEntry) -> None:
        """Log lines arrive."""
        self.publish(LogLines(entries))


@dataclass
class FakeHelm:
    """Records every intent; raises what it was told to raise."""

    sent: list[Intent] = field(default_factory=list)
    error: ConsoleError | None = None

    async def send(self, intent: Intent) -> None:
        """Record it."""
        self.sent.append(intent)
        if self.error is not None:
            raise self.error


async def _report() -> str:
    return REPORT


async def _preflight() -> Sequence[FindingState]:
    return FINDINGS


READS = Reads(preflight=_preflight, report=_report)


def app_for(
    moment: Moment, helm: FakeHelm | None = None, *, light: bool = False, settle: float = 0.0, driving: bool = True
) -> tuple[ConsoleApp, FakeFeed]:
    """The application as it stands at a moment, and its feed. `driving=False` gives an observer's, and so do events."""
    feed = FakeFeed(moment.state, moment.log)
    feed.clock.now = moment.now
    feed.events.extend(moment.events)
    app = ConsoleApp(
        feed,
        (helm or FakeHelm()) if driving and not moment.events else None,
        reads=replace(READS, history=feed.history, says=sign_and_text) if moment.events else READS,
        now=feed.clock,
        light=light,
        settle=settle,
    )
    return app, feed


def tell_news(feed: FakeFeed, moment: Moment) -> None:
    """Publish what the moment's running steps said."""
    feed.publish(TailStatus(connected=True))
    for news in moment.news:
        feed.clock.now = moment.now - timedelta(seconds=news.ago)
        feed.publish(StepNews(news.step, news.progress))
    feed.clock.now = moment.now
