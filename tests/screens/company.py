"""Moments in which others matter: who drives what is watched, a shared record that is lost, those who watch."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import timedelta

from msgspec import structs

from console.domain.shared import Observer
from console.domain.state import Apart
from console.ports import DriverStatus, Driving, JournalFailed, SharedStatus, Update, Watched
from screens.app import ConsoleApp
from screens.company import ALONE
from screens.view import View
from tests.screens.fakes import FakeFeed, app_for
from tests.screens.moments import MOMENTS, Moment
from tests.screens.story import BEGIN

DRIVES = DriverStatus(
    Driving.DRIVES,
    "ops@laptop drives (process 4711 on laptop) since 2026-02-04 20:14:03 UTC.",
    "ops@laptop",
    "laptop",
    4711,
)
DIED = DriverStatus(
    Driving.DIED,
    "Nobody drives: the console of ops@laptop on laptop died; last heard of at 2026-02-04 20:34:11 UTC. "
    "Start it to go on.",
    "ops@laptop",
    "laptop",
    4711,
)
APART = DriverStatus(
    Driving.APART,
    "ops@laptop is not at the shared record any more (last heard of at 2026-02-04 20:34:11 UTC); "
    "they may go on elsewhere.",
    "ops@laptop",
    "laptop",
    4711,
)
LEFT = DriverStatus(
    Driving.LEFT, "Nobody drives: ops@laptop left at 2026-02-04 20:34:11 UTC: the console was closed.", "ops@laptop"
)
EVE = DriverStatus(
    Driving.DRIVES,
    "eve@desk drives (process 99 on desk) since 2026-02-04 20:36:00 UTC: took over from ops@laptop.",
    "eve@desk",
    "desk",
    99,
)
REASON = "The shared record is not reached: the server closed the connection."
REACHED, LOST = SharedStatus(connected=True), SharedStatus(connected=False, reason=REASON)
OBSERVERS = (Observer("observer", "bob@home", BEGIN), Observer("quinn", "quinn@office", BEGIN))


@dataclass(frozen=True)
class Company:
    """What is told at a moment: `before` so many seconds ago (and of it, where `apart`), then `now`."""

    moment: str
    told: tuple[Update, ...]
    ago: float = 20.0
    driving: bool = False
    apart: str | None = None


COMPANY: Mapping[str, Company] = {
    "alone": Company("migrating", (), driving=True),
    "watch-driven": Company("migrating", (DRIVES,)),
    "watch-died": Company("migrating", (DRIVES, DIED)),
    "watch-apart": Company("migrating", (REACHED, DRIVES, APART)),
    "watch-left": Company("migrating", (DRIVES, LEFT)),
    "watch-taken-over": Company("migrating", (REACHED, DRIVES, EVE)),
    "watch-lost": Company("migrating", (REACHED, DRIVES, LOST)),
    "watch-broken": Company(
        "migrating", (DRIVES, JournalFailed("Line 41 of the journal is broken: it is torn.", "Compare."))
    ),
    "drive-lost": Company(
        "push", (REACHED, SharedStatus(connected=False, reason=REASON, unsent=3)), driving=True, apart=REASON
    ),
    "drive-watched": Company("migrating", (REACHED, Watched(OBSERVERS)), driving=True),
}


def view_in(company: Company) -> View:
    """What there is to be painted at such a moment."""
    moment, others = _moment(company), ALONE
    for update in company.told:
        others = others.hear(update, moment.now - timedelta(seconds=company.ago))
    failed = next((each.message for each in company.told if isinstance(each, JournalFailed)), "")
    return View(moment.state, moment.now, driving=company.driving, record_failed=failed, company=others)


def app_in(company: Company) -> tuple[ConsoleApp, FakeFeed, Callable[[], None]]:
    """The application at such a moment, its feed, and what tells it of the others, once it listens."""
    moment = _moment(company)
    app, feed = app_for(moment, driving=company.driving)

    def tell() -> None:
        feed.clock.now = moment.now - timedelta(seconds=company.ago)
        for update in company.told:
            feed.publish(update)
        feed.clock.now = moment.now
        app.frame()

    return app, feed, tell


def _moment(company: Company) -> Moment:
    moment: Moment = MOMENTS[company.moment]()
    if company.apart is None:
        return moment
    since = moment.now - timedelta(seconds=company.ago)
    return replace(moment, state=structs.replace(moment.state, apart=Apart(since, company.apart)))
