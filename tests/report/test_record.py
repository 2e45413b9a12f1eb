"""The record: the plan's document, filled in; what was written by others keeps to its line."""

from datetime import timedelta

from console.domain import intents as i
from console.domain.events import Kind
from console.report.event_lines import event_line
from console.report.record import record
from tests.domain.history import History, over, pushed
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
    assert signed.endswith("(commit ccccccc) — looks good")


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
