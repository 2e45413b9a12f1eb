"""The record: the plan's document, filled in; what was written by others keeps to its line."""

from datetime import timedelta

import pytest

from console.domain import intents as i
from console.domain.events import Event, Kind
from console.domain.plan import Json
from console.domain.standing import Way
from console.report.event_lines import event_line
from console.report.record import record
from tests.domain.history import BEGIN, History, over, pushed
from tests.domain.incidents import choose, declared, go
from tests.domain.plans import release_plan

EVIL = "fine\n## Sign-off\n- [x] **QA lead:** Mallory\x1b[2J\u202e"
HARMLESS = "fine ## Sign-off - [x] **QA lead:** Mallory␛[2J‹202e›"


def written(history: History) -> list[str]:
    return record(history.state, history.events).splitlines()


def test_what_has_not_happened_is_an_empty_box() -> None:
    lines = written(History(release_plan()))
    assert "- [ ] **Backup**" in lines
    assert "- [ ] **QA lead:** _________________ Date: _____" in lines
    assert "**Outcome:** not started  " in lines


def test_what_happened_stands_with_its_evidence_and_who_signed_what() -> None:
    history = over(History(release_plan())).ask(i.Sign("qa", "Grace", approve=True, note="looks good"))
    lines = written(history)
    assert "- [x] **Backup** — 1.0 s" in lines
    assert "  - backup is done" in lines
    assert "- [x] **Call** — 0.0 s" in lines or "- [x] **Call**" in lines
    signed = next(line for line in lines if line.startswith("- [x] **QA lead:** Grace Date: 2026-02-04"))
    assert signed.endswith("(commit ccccccc; by voice, recorded by ops@laptop) — looks good")


def test_a_signature_says_how_it_was_given_and_when_it_is_void() -> None:
    history = over(History(release_plan()))
    bound: dict[str, Json] = {"plan": history.state.plan_digest, "commit": "c" * 40, "by_voice": False}
    history.happen(Kind.SIGNOFF_GIVEN, role="qa", name="Grace", note="", login="grace", inbox=7, **bound)
    assert next(line for line in written(history) if "**QA lead:**" in line).endswith(
        "(commit ccccccc; signed as grace)"
    )
    assert event_line(history.plan, history.events[-1]).endswith("✔ qa signed by Grace, signed as grace")
    history.ask(i.Sign("owner", "Petra", approve=True))
    assert event_line(history.plan, history.events[-1]).endswith("✔ owner signed by Petra, by voice")
    history.ask(i.Reopen("test", "one was missing"))
    line = next(line for line in written(history) if "**QA lead:**" in line)
    assert line.endswith("Date: _____ — void: Grace had signed; Test is done again")


def test_a_failure_says_what_state_production_is_in() -> None:
    history = pushed(History(release_plan())).fail("backend", "build failed", production="The old backend serves.")
    assert "  - **failed:** build failed The old backend serves." in written(history)


def test_nobody_writes_himself_a_box_or_a_signature() -> None:
    history = over(History(release_plan())).ask(i.Note(EVIL))
    history.ask(i.Sign("qa", EVIL, approve=True, note=EVIL))
    history.happen(Kind.ALERT_RAISED, alert="x", severity="danger", message=EVIL, offer=None)
    lines = written(history)
    assert [line for line in lines if line.startswith("## Sign-off")] == ["## Sign-off"]
    assert not [line for line in lines if line.startswith("- [x] **QA lead:** Mallory")]
    assert f"ops@laptop: {HARMLESS}" in "\n".join(lines)
    assert not set("\x1b\u202e") & set("".join(lines))


def test_an_event_is_one_line_that_no_terminal_obeys() -> None:
    history = History(release_plan()).ask(i.Note(EVIL))
    told = event_line(history.plan, history.events[-1])
    assert told == f"{(history.now - timedelta()):%H:%M:%S} · note: {HARMLESS}"


def test_the_way_back_stands_in_the_rollback_section_with_its_steps_and_times() -> None:
    history = go(choose(declared(), Way.SCHEMA), until="push").ask(i.DropWay("no lock"))
    go(choose(history, Way.DATABASE)).ask(i.PlanPostmortem("back2.postmortem", "Ada", "2026-02-11"))
    history.ask(i.CloseIncident("database back")).ask(i.Finish("rolled_back", "database back"))
    lines = written(history)
    assert "**Outcome:** rolled back — database back  " in lines
    checklist = lines[lines.index("## Checklist") : lines.index("## Timeline")]
    assert not [line for line in checklist if "autodeploy" in line], "what the release had to do stands apart"
    back = [line for line in lines[lines.index("## Rollback") : lines.index("## Success criteria")] if line]
    assert back[:5] == [
        "## Rollback",
        "- Revert Code (2–5 min)",
        "  - git revert 26c5a9f",
        "**Incident:** 2026-02-04 20:01:57 UTC, ops@laptop: the dashboard is down; closed 2026-02-04 20:12:46 UTC: "
        "database back",
        "### Way back: Schema and code back, nothing lost",
    ]
    second = back[back.index("### Way back: Database back to before the migration, and code") :]
    assert second[1:7] == [
        "- chosen 2026-02-04 20:07:11 UTC by ops@laptop: it is what we practised",
        "- price: 4 rows are lost",
        "#### Revert Code",
        "- [x] **Switch autodeploy off on every service** — 21.0 s",
        "  - back2.hold is done",
        "- [x] **Revert the whole release** — 21.0 s",
    ]
    assert second[-2:] == [
        "**Post-mortem:** 2026-02-11, Ada",
        "**The revert ddddddd must be reverted before these commits can be released again: the branch reapply/020 "
        "does that.**",
    ]
    assert "- **given up:** no lock" in back
    rows = [line for line in lines if line.startswith("| back.")]
    assert rows[0].endswith("1:05 min | done |")
    assert rows[1].endswith("|  | set aside |")


def test_a_run_that_went_well_shows_the_plans_own_way_back_alone() -> None:
    lines = written(History(declared().plan))
    section = [line for line in lines[lines.index("## Rollback") : lines.index("## Success criteria")] if line]
    assert section == ["## Rollback", "- Revert Code (2–5 min)", "  - git revert 26c5a9f"]


@pytest.mark.parametrize(
    ("kind", "data", "told"),
    [
        (
            Kind.ROLLBACK_ASSESSED,
            {
                "assessment": {
                    "ways": [
                        {"way": "schema", "applies": True, "recommended": True},
                        {"way": "code", "applies": True},
                        {"way": "nothing", "applies": False},
                    ]
                }
            },
            "· production assessed: ways back: schema, code; recommended: schema",
        ),
        (Kind.ROLLBACK_ASSESSED, {}, "· production assessed: ways back: none; recommended: none"),
        (
            Kind.ROLLBACK_CHOSEN,
            {"way": "database", "price": "4 rows are lost", "lost": 4, "reason": "practised"},
            "! way back chosen: database: 4 rows are lost: practised",
        ),
        (Kind.ROLLBACK_DROPPED, {"reason": "no lock"}, "! way back given up: no lock"),
        (
            Kind.MESSAGE_DRAFTED,
            {"message": "declared:1", "turn": "declared", "subject": "Trouble", "text": "Long\ntext"},
            "· message drafted: Trouble",
        ),
        (
            Kind.MESSAGE_SENT,
            {"message": "declared:1", "channel": "team", "subject": "Trouble", "delivered": True, "error": ""},
            "· told: team: Trouble",
        ),
        (
            Kind.MESSAGE_SENT,
            {"message": "declared:1", "channel": "team", "subject": "Trouble", "delivered": False, "error": "HTTP 503"},
            "· could not tell: team: HTTP 503: Trouble",
        ),
        (Kind.MESSAGE_DROPPED, {"message": "chosen:1", "reason": "by voice"}, "· message chosen:1 not sent: by voice"),
        (
            Kind.POSTMORTEM_PLANNED,
            {"owner": "Ada", "date": "2026-02-11"},
            "● post-mortem on 2026-02-11, owner Ada",
        ),
    ],
)
def test_every_event_of_an_incident_has_a_line(kind: Kind, data: dict[str, Json], told: str) -> None:
    assert event_line(release_plan(), Event(1, BEGIN, "r1", "ops", kind, None, data)) == f"20:00:00 {told}"


@pytest.mark.parametrize("kind", list(Kind))
def test_every_kind_has_words_also_without_data(kind: Kind) -> None:
    assert event_line(release_plan(), Event(1, BEGIN, "r1", "ops", kind)).removeprefix("20:00:00 ")
