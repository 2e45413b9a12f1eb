"""The moments of an incident: assessed, a way chosen and gone, the database's price confirmed, the end, messages."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import timedelta
from typing import cast

from console.domain.events import Kind
from console.domain.loss import Loss, TableLoss
from console.domain.outcome import Fact, Line, Preview, Progress, Reading, Section, Tone
from console.domain.plan import Channel, Json
from console.domain.rollback import TITLES, verdicts
from console.domain.rollback_plan import planned, rollback_plan
from console.domain.standing import Assessment, Runs, Schema, ServiceStanding, Standing, Way, WayBack
from console.domain.wire import encode
from tests.screens.moments import COMMIT, MOMENTS, Moment, News, log_of, to_tests
from tests.screens.plan import plan_020
from tests.screens.story import Story

REASON = "Soft deletes fail: a trigger still names account_type"
OLD = "b81c55a04e7d2f1963a0c5be8f7d914e02c6a3b7"
CHANNELS = (Channel("chat", "env:CHAT_URL"), Channel("mail", "env:MAIL_URL"))

STANDING = Standing(
    pushed=True,
    services=(
        ServiceStanding("backend", "crm-backend", COMMIT, Runs.NEW, deploy="dep-b2"),
        ServiceStanding("frontend", "crm-frontend", COMMIT, Runs.NEW, deploy="dep-f2"),
    ),
    schema=Schema.NEW,
    postgres_id="dpg-1",
    database="crm",
    saved_copy="accounts_before_020",
    recoverable=True,
    backup=True,
)


def loss_since(story: Story) -> Loss:
    """What users wrote since the migration began."""
    return Loss(
        since=(story.now - timedelta(seconds=290)).isoformat(),
        counted_at=(story.now - timedelta(seconds=6)).isoformat(),
        tables=(TableLoss("accounts", 41, 112, 3), TableLoss("leads", 97, 0, 0), TableLoss("contacts", 22, 43, 0)),
        method="new and changed rows by xmin, deleted ones by the server's counters",
        remarks=("Without the migration's own rows and those of the console's checks.",),
    )


def assessment_of(story: Story, standing: Standing = STANDING) -> Assessment:
    """What an assessor would say now: the decision table's verdicts, with prices."""
    loss = loss_since(story)
    at = story.now
    ways = []
    for verdict in verdicts(standing):
        dear = verdict.way in (Way.DATABASE, Way.BACKUP)
        steps = rollback_plan(story.plan, standing, verdict.way).steps if verdict.applies else ()
        ways.append(
            WayBack(
                way=verdict.way,
                title=TITLES[verdict.way],
                applies=verdict.applies,
                restores=verdict.restores,
                recommended=verdict.recommended,
                why=verdict.why,
                price=_PRICES.get(verdict.way, ""),
                loss=loss if dear and verdict.applies else None,
                duration=planned(story.plan, verdict.way),
                reachable_at=(at + timedelta(seconds=402)).isoformat() if verdict.way is Way.DATABASE else "",
                steps=tuple(step.title for step in steps),
                lines=_LINES.get(verdict.way, ()),
            )
        )
    return Assessment(at.isoformat(), standing, tuple(ways))


_PRICES = {
    Way.CODE: "Nothing is lost.",
    Way.FIX_ONLY: "Nothing is lost. 4 files stay different from before, 4 files as the release has them.",
    Way.SCHEMA: "Nothing is lost; 2 rows to decide.",
    Way.DATABASE: "318 rows in 3 tables written since 14:45:56 are lost.",
    Way.BACKUP: "318 rows in 3 tables written since 14:45:56 are lost.",
}
_LINES = {
    Way.SCHEMA: (
        Line("447 rows come back exactly, from accounts_before_020"),
        Line("41 rows written since are carried over by the inverse mapping"),
        Line("2 rows cannot be decided by it", "account_status on_hold", Tone.WARNING),
    ),
    Way.FIX_ONLY: (Line("2 of 3 commits of the release would stay live", "3c231ff, e1093b9", Tone.WARNING),),
    Way.DATABASE: (
        Line("accounts: 156 rows", "41 inserted, 112 updated, 3 deleted", Tone.DANGER),
        Line("The moment to recover: 2026-02-04 14:45:56.114203 UTC", "reachable from 14:57:28 on"),
    ),
}


def declared(channels: bool = True) -> Story:
    """An incident was declared while the tests ran."""
    plan = plan_020()
    story = to_tests(Story(replace(plan, channels=CHANNELS) if channels else plan))
    story.run("test.kpis", 8).start("test.leads").wait(12)
    story.fail(
        "test.leads",
        'POST /api/leads/8f21/convert answered 500: record "old" has no field "account_type".',
        "Production runs 9f31c07 on the migrated schema; converting leads fails for every user.",
        "Put the trigger right and try again, or roll back.",
    )
    story.wait(21).tell(Kind.INCIDENT_DECLARED, reason=REASON)
    return draft(story, "declared:1", "declared", "Account Status Consolidation: incident in production since 14:53")


def draft(story: Story, message: str, turn: str, subject: str) -> Story:
    """Words for the stakeholders wait to be sent."""
    text = (
        "There is a problem with the release “Account Status Consolidation” in production.\n\n"
        f"What happened: {REASON}\nSince: 2026-02-04 14:53 UTC\n"
        "What users notice: Parts of the application may fail or show errors.\n"
        "Next word: at the latest at 2026-02-04 15:23 UTC."
    )
    return story.tell(Kind.MESSAGE_DRAFTED, message=message, turn=turn, subject=subject, text=text)


def send(story: Story, message: str, **errors: str) -> Story:
    """It goes out; channels that are named fail with that error."""
    state = story.state.messages[message]
    for channel in story.plan.channels:
        error = errors.get(channel.name, "")
        data: dict[str, Json] = {"subject": state.subject, "text": state.text, "delivered": not error, "error": error}
        story.tell(Kind.MESSAGE_SENT, message=message, channel=channel.name, **data)
    return story


def assess(story: Story, standing: Standing = STANDING) -> Story:
    """It was looked where production stands."""
    return story.tell(Kind.ROLLBACK_ASSESSED, assessment=encode(assessment_of(story, standing)))


def choose(story: Story, way: Way, reason: str = "") -> Story:
    """The person chose a way back."""
    assessment = story.state.assessment
    assert assessment is not None
    offer = assessment.offer(way)
    assert offer is not None
    added = rollback_plan(story.state.plan, assessment.standing, way, number=len(story.state.rollbacks) + 1)
    data = cast(
        dict[str, Json],
        {
            "way": way.value,
            "price": offer.price,
            "lost": offer.loss.rows if offer.loss is not None else None,
            "reason": reason,
            "phases": encode(added.phases),
            "steps": encode(added.steps),
            "rows": encode(added.rows),
        },
    )
    story.tell(Kind.ROLLBACK_CHOSEN, None, **data)
    return draft(story, f"chosen:{len(story.state.rollbacks)}", "chosen", "How we bring service back")


def just_declared() -> Moment:
    """Nobody has looked yet."""
    story = declared().wait(4)
    return Moment(story.state, story.now, (), log_of(story.now, trouble=True), ("i",))


def assessed() -> Moment:
    """The ways back are shown, the recommended one first."""
    story = assess(declared().wait(14)).wait(40)
    return Moment(story.state, story.now, (), log_of(story.now, trouble=True), ("i",))


def rolling() -> Moment:
    """The way that loses nothing is gone: the revert is pushed, the schema is being built back."""
    story = to_schema(assess(declared().wait(14)).wait(40))
    story.start("back.schema").wait(11)
    progress = Progress(
        "statement 3 of 6: UPDATE accounts SET license_status = saved.license_status …",
        0.46,
        lines=(Line("1 session waits for us, for 0.8 s", tone=Tone.WARNING),),
        safe_point="after this statement",
    )
    return Moment(
        story.state, story.now, (News("back.schema", 0.0, progress),), log_of(story.now, trouble=True), ("i",)
    )


def to_schema(story: Story) -> Story:
    """Up to the step that builds the schema back."""
    choose(story, Way.SCHEMA).wait(3)
    send(send(story, "declared:1"), "chosen:1", mail="the server did not answer within 10 s")
    story.run("back.hold", 2, "autodeploy is off on crm-backend and crm-frontend; it was “commit” on both")
    story.run("back.revert", 1, "c0ffee1 takes back 3 commits; its tree equals that of b81c55a")
    return story.wait(9).run("back.push", 3, "main is c0ffee1", commit="c0ffee1d2a5b7c9e0f1a3b5c7d9e1f2a4b6c8d0e")


FENCE = Preview(
    summary="Shuts users out of crm-backend and crm-frontend, makes the old database read-only, ends its sessions and "
    "counts what is lost.",
    facts=(
        Fact("crm-backend", "maintenance mode on"),
        Fact("crm-frontend", "maintenance mode on"),
        Fact("Database", "crm on dpg-1: default_transaction_read_only = on, 14 sessions ended"),
    ),
    readings=(
        Reading("Rows lost by going back to 14:48:43", "318 rows", Tone.DANGER, limit=350, amount=318),
        Reading("Moment reachable", "in 6:02, from 15:01:44 on"),
    ),
    consequences=(
        Line("Users get 503 from now on, until the last step lets them in again", "about 18 min", Tone.DANGER),
        Line("What users wrote since 14:48:43 is lost: 160 new, 155 changed, 3 deleted rows", tone=Tone.DANGER),
        Line("More rows than the limit at the fence void this yes: it is asked again"),
    ),
    sections=(
        Section(
            "Lost by table, by xmin and counters",
            (
                Line("accounts", "41 new, 112 changed, 3 deleted", Tone.DANGER),
                Line("leads", "97 new", Tone.DANGER),
                Line("contacts", "22 new, 43 changed", Tone.DANGER),
            ),
        ),
    ),
)


def fencing() -> Moment:
    """The database goes back: the fence waits for its yes, with the loss and its limit."""
    story = choose(assess(declared().wait(14)).wait(40), Way.DATABASE, "the data itself is damaged")
    story.run("back.hold", 2).run("back.revert", 1).run("back.push", 3).preview("back.fence", FENCE).wait(12)
    return Moment(story.state, story.now, (), log_of(story.now, trouble=True), ("i",))


def failed_step() -> Moment:
    """A step of the way failed."""
    story = to_schema(assess(declared().wait(14)).wait(40)).start("back.schema").wait(4)
    story.fail(
        "back.schema",
        "accounts is locked by another session for longer than 3 s.",
        "Production runs 9f31c07 on the migrated schema, as before: nothing of this step was kept.",
        "Try again when pid 40912 (crm-backend) is done, or end it.",
        "pid 40912: UPDATE accounts SET account_status = …",
    )
    return Moment(story.wait(20).state, story.now, (), log_of(story.now, trouble=True), ("i",))


def proven() -> Story:
    """Production is as it was before; the stakeholders are to be told."""
    story = to_schema(assess(declared().wait(14)).wait(40))
    undecided: list[Json] = [{"id": 81, "account_status": "on_hold"}, {"id": 214, "account_status": "on_hold"}]
    story.run("back.schema", 24, "447 rows rebuilt, 41 mapped, 2 to decide", undecided=undecided)
    story.run("back.previous", 6, "both services serve b81c55a again")
    story.start("back.deploy.backend").start("back.deploy.frontend").wait(171)
    story.succeed("back.deploy.backend", "live with c0ffee1").succeed("back.deploy.frontend", "live with c0ffee1")
    story.run("back.restore_settings", 1, "autodeploy is “commit” again on both; nothing redeployed")
    return story.run("back.prove", 8, "tree, schema, database and settings are as before")


def telling() -> Moment:
    """The word that service is restored waits to be sent."""
    story = draft(proven(), "turned:1", "turned", "Account Status Consolidation: service is restored").wait(5)
    return Moment(story.state, story.now, (), log_of(story.now), ("i",))


def to_what_has_time() -> Story:
    """Everybody is told and the post-mortem is planned: what has time is left."""
    story = proven().run("back.told", 1).run("back.papers", 1)
    story.tell(Kind.POSTMORTEM_PLANNED, owner="Petra Lindqvist", date="2026-02-06")
    return story.tell(Kind.STEP_TICKED, "back.postmortem", note="Petra Lindqvist, 2026-02-06")


def gone() -> Story:
    """Every step of the way is over, but for the plan of the post-mortem."""
    story = proven().run("back.told", 1).run("back.papers", 1).run("back.reapply", 3, branch="reapply/020")
    story.tell(Kind.STEP_SKIPPED, "back.discard_copy", reason="kept for the post-mortem", guard_overridden_by=None)
    return story


def asking_for_owner() -> Moment:
    """The post-mortem is to be planned."""
    story = gone().wait(5)
    return Moment(story.state, story.now, (), log_of(story.now), ("i",))


def rolled_back_story() -> Story:
    """The way is gone to its end; the incident is still open."""
    story = gone().wait(30).tell(Kind.POSTMORTEM_PLANNED, owner="Petra Lindqvist", date="2026-02-06")
    return story.tell(Kind.STEP_TICKED, "back.postmortem", note="Petra Lindqvist, 2026-02-06").wait(6)


def rolled_back() -> Moment:
    """The incident is to be closed."""
    story = rolled_back_story()
    return Moment(story.state, story.now, (), log_of(story.now), ("i",))


def closed() -> Moment:
    """Both are closed."""
    story = rolled_back_story().wait(14)
    story.tell(Kind.INCIDENT_CLOSED, reason="Schema and code back, nothing lost")
    send(draft(story, "closed:1", "closed", "Account Status Consolidation: the incident is closed"), "closed:1")
    production = "Production runs b81c55a on the schema from before the migration."
    reason = "Schema and code back, nothing lost"
    story.tell(Kind.RUN_FINISHED, outcome="rolled_back", reason=reason, production=production)
    return Moment(story.state, story.now, (), log_of(story.now))


def messages() -> Moment:
    """One message did not arrive everywhere, one waits."""
    story = choose(assess(declared().wait(14)).wait(40), Way.SCHEMA).wait(3)
    send(story, "declared:1", mail="the server did not answer within 10 s")
    return Moment(story.wait(8).state, story.now, (), log_of(story.now, trouble=True), ("m",))


def _with_keys(moment: Callable[[], Moment], *keys: str) -> Callable[[], Moment]:
    return lambda: replace(moment(), keys=keys)


INCIDENTS: Mapping[str, Callable[[], Moment]] = {
    "incident-declared": just_declared,
    "incident-assessed": assessed,
    "incident-run": _with_keys(assessed),
    "declare": _with_keys(MOMENTS["failed-build"], "i"),
    "rollback-choosing": _with_keys(assessed, "i", "enter"),
    "rollback-dear": _with_keys(assessed, "i", "2"),
    "rollback-broken": _with_keys(assessed, "i", "4"),
    "rollback-running": rolling,
    "rollback-run-screen": _with_keys(rolling),
    "rollback-failed": failed_step,
    "rollback-confirm-database": _with_keys(fencing, "i", "enter"),
    "rollback-telling": telling,
    "rollback-postmortem": _with_keys(asking_for_owner, "i", "enter"),
    "rolled-back": rolled_back,
    "rolled-back-closed": closed,
    "rolled-back-incident": _with_keys(closed, "i"),
    "messages": messages,
    "message-edit": _with_keys(messages, "m", "down", "enter"),
}
