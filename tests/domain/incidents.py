"""Runs that went wrong and went back, for tests: a release that breaks a check, and each step of a way back."""

from dataclasses import replace

from console.domain import intents as i
from console.domain.events import Kind
from console.domain.loss import Loss, TableLoss
from console.domain.plan import Channel, DurationRange, Json, Plan, RollbackStep
from console.domain.rollback import TITLES, verdicts
from console.domain.standing import Assessment, Runs, Schema, ServiceStanding, Standing, Way, WayBack
from console.domain.wire import encode, format_time
from tests.domain.history import History, pushed
from tests.domain.plans import release_plan

RELEASED, REVERTED, BEFORE = "c" * 40, "d" * 40, "b" * 40
MIGRATED = Standing(
    pushed=True,
    services=(ServiceStanding("backend", "backend", RELEASED, Runs.NEW),),
    schema=Schema.NEW,
    postgres_id="dpg-1",
    database="crm",
    saved_copy="saved",
    recoverable=True,
    backup=True,
)
LOSS = Loss(
    since="2026-02-04T20:00:20+00:00",
    counted_at="2026-02-04T20:10:00+00:00",
    tables=(TableLoss("accounts", inserted=2, updated=1), TableLoss("leads", deleted=1)),
    method="the counters of both instances",
    remarks=("the migration's own 449 updates are taken out",),
)
LEFT: dict[str, dict[str, Json]] = {
    "hold": {"settings": {"backend": "commit"}},
    "revert": {"commit": REVERTED, "compared_with": BEFORE, "identical": True, "differs": []},
    "push": {"commit": REVERTED, "branch": "main", "pushed_at": "2026-02-04T20:09:00+00:00"},
    "schema": {
        "rows_rebuilt": 449,
        "rows_mapped": 3,
        "undecided": [{"key": "17", "value": "cancelled", "given": None, "new": True}],
        "saved_copy": "saved",
        "kept_copy": "saved_020_kept",
        "committed_at": "2026-02-04T20:10:00+00:00",
    },
    "fence": {"fenced_at": "2026-02-04T20:09:00+00:00", "loss": encode(LOSS)},
    "recover": {"postgres_id": "dpg-2", "name": "crm-before-020", "moment": "2026-02-04T20:00:20+00:00"},
    "compare": {"tables": {"accounts": {"rows": 449}}},
    "switch": {"postgres_id": "dpg-2", "old_postgres_id": "dpg-1", "place": "dpg-2:5432/crm"},
    "deploy.backend": {"deploy": "dep-9", "commit": REVERTED, "status": "live", "live_at": "2026-02-04T20:12:00+00:00"},
    "prove": {"schema": "old", "differs": [], "revert": REVERTED, "before": BEFORE},
    "discard_copy": {"table": "saved_020_kept", "rows": 449},
    "reapply": {"branch": "reapply/020"},
}
"""What the steps of a way back leave, by their id without its prefix."""


def channel_plan() -> Plan:
    """The release plan with two channels and its own rollback section."""
    rows = (RollbackStep("Revert Code", DurationRange(120, 300), ("git revert 26c5a9f",), "code"),)
    channels = (Channel("team", "env:TEAM"), Channel("board", "env:BOARD"))
    return replace(release_plan(), title="Account Status", channels=channels, rollback=rows)


def broken(plan: Plan | None = None, *, rehearsal: bool = False) -> History:
    """Released and migrated, and a check fails."""
    history = pushed(History(plan or channel_plan(), rehearsal=rehearsal)).succeed("backend", "frontend")
    return history.confirm("migrate").succeed("migrate").wait(60).fail("test", "the dashboard does not load")


def declared(plan: Plan | None = None, *, reason: str = "the dashboard is down", rehearsal: bool = False) -> History:
    """And somebody declares an incident."""
    return broken(plan, rehearsal=rehearsal).wait(30).ask(i.DeclareIncident(reason))


def assessed(history: History, standing: Standing = MIGRATED) -> Assessment:
    """Let production be looked at; what was seen."""
    ways = tuple(
        WayBack(
            v.way,
            TITLES[v.way],
            v.applies,
            v.restores,
            v.recommended,
            v.why,
            price="4 rows are lost" if v.way in (Way.DATABASE, Way.BACKUP) else "nothing is lost",
            loss=LOSS if v.way in (Way.DATABASE, Way.BACKUP) else None,
        )
        for v in verdicts(standing)
    )
    seen = Assessment(format_time(history.now), standing, ways)
    history.happen(Kind.ROLLBACK_ASSESSED, assessment=encode(seen))
    return seen


def choose(history: History, way: Way, standing: Standing = MIGRATED) -> History:
    """Look, and choose a way."""
    seen = assessed(history, standing)
    offer = seen.offer(way)
    why = "" if offer is not None and offer.recommended else "it is what we practised"
    return history.wait(120).ask(i.ChooseWay(way.value, seen.at, why))


def go(history: History, *names: str, until: str = "", **left: dict[str, Json]) -> History:
    """Let steps of the way succeed: these, or all in order up to and with `until`.

    They leave what such steps leave, or what is `left` by name.
    """
    rollback = history.state.rollback
    assert rollback is not None
    for step in rollback.steps:
        name = step.partition(".")[2]
        if (names and name not in names) or history.state.steps[step].over or name == "postmortem":
            continue
        history.succeed(step, seconds=20, **left.get(name, LEFT.get(name, {})))
        if name == until:
            break
    return history


def tell(history: History, message: str, **errors: str) -> History:
    """Let a message be sent on both channels; `errors` names those that it does not reach."""
    said = history.state.messages[message]
    for channel in ("team", "board"):
        error = errors.get(channel, "")
        history.happen(
            Kind.MESSAGE_SENT,
            message=message,
            channel=channel,
            subject=said.subject,
            text=said.text,
            delivered=not error,
            error=error,
        )
    return history
