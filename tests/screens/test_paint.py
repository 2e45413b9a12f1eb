"""What the panes say, from fixed states, without a widget."""

import re
from dataclasses import replace
from datetime import timedelta

import pytest
from msgspec import structs

from console.domain.outcome import Line, Progress, Tone
from console.domain.plan import DurationRange
from screens.heard import hear
from screens.paint import blocks, ink, overview, way_gone, words
from screens.paint.checklist import rows
from screens.paint.detail import detail
from screens.paint.gist import gist
from screens.paint.situation import situation
from screens.paint.timeline import forecast, timeline
from screens.view import View
from tests.screens.incidents import INCIDENTS
from tests.screens.moments import MOMENTS
from tests.screens.story import BEGIN

NAMES = ["start", "backup", "push", "building", "migrating", "failed-build", "uncertain", "incident", "finished"]


def view_of(name: str, *, driving: bool = True) -> View:
    moment = MOMENTS[name]()
    return View(moment.state, moment.now, driving=driving)


@pytest.mark.parametrize(
    ("name", "text", "then"),
    [
        ("start", "Not started. 31 steps, nothing has been touched.", "first Baseline of traffic, errors and latency"),
        ("push", "Waits for you: Push to GitHub (triggers the Render deployment)", "then Render backend rebuilds"),
        (
            "building",
            "2 at once: Render backend rebuilds, Render frontend rebuilds",
            "then Run migration 020 by itself (armed)",
        ),
        ("uncertain", "Run migration 020: not known whether it was carried out", ""),
        ("incident", "Incident: Soft deletes fail: a trigger still names account_type", ""),
        ("finished", "Completed 15:25", "Production runs 9f31c07 on the migrated schema."),
    ],
)
def test_one_sentence_says_where_the_run_is(name: str, text: str, then: str) -> None:
    now = situation(view_of(name))
    assert (now.text, now.then) == (text, then)


def test_an_observer_reads_whom_the_run_waits_for() -> None:
    assert situation(view_of("push", driving=False)).text.startswith("Waits for ops@laptop: ")


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("width", [26, 40, 80, 160])
def test_no_line_is_wider_than_its_pane(name: str, width: int) -> None:
    view = view_of(name)
    for step in view.state.steps.values():
        assert all(line.cell_length <= width for line in detail(view, step, width)), step.step.id
    for height in (5, 12, 40):
        assert all(row.content.cell_length <= width for row in rows(view, "code.push", width, height))
        lines = gist(view, width, height)
        assert len(lines) <= height
        assert all(line.cell_length <= width for line in lines)
        painted = timeline(view, width, height)
        assert all(line.cell_length <= width for line in painted)
        assert len(painted) <= max(height, 3)


def test_what_is_over_is_collapsed_and_what_is_now_is_expanded() -> None:
    shown = [row.content.plain for row in rows(view_of("migrating"), "db.migrate", 60, 12)]
    assert any(row.startswith("✔ Code deployment") for row in shown)
    assert not any("Merge staging" in row for row in shown)
    assert any("▶ Run migration 020" in row for row in shown)


def test_with_room_for_everything_everything_is_expanded() -> None:
    view = view_of("migrating")
    assert len(rows(view, "db.migrate", 60, 100)) == len(view.state.steps) + len(view.state.plan.phases)


@pytest.mark.parametrize("name", ["migrating", "finished", "rollback-running", "rolled-back"])
def test_beside_a_pace_nothing_is_late_or_foreseen_and_the_pace_is_explained_once(name: str) -> None:
    moment = {**MOMENTS, **INCIDENTS}[name]()
    state = structs.replace(moment.state, rehearsal=True, pace=600.0)
    view = View(state, moment.now + timedelta(hours=2), driving=True).of_the_way()
    painted = [*timeline(view, 110, 20), *overview.after(view, 110), *way_gone.ending(view, 110)]
    text = "\n".join(line.plain for line in [*painted, way_gone.took(view), way_gone.back_at(view), forecast(view)])
    assert not re.search(r"late|behind|ahead|on time|longer than|less than planned|about|ends \d|back by|due|▓", text)
    said = [line for line in timeline(view, 110, 20) if "planned times pass 600 times as fast here" in line.plain]
    assert len(said) == 1
    assert "planned time passes ×600" in timeline(view, 76, 20)[-1].plain
    assert not any("times as fast" in line.plain for line in timeline(replace(view, state=moment.state), 110, 20))


def test_what_a_row_took_reads_as_in_the_checklist() -> None:
    moment = MOMENTS["migrating"]()
    paced = View(structs.replace(moment.state, pace=600.0), moment.now)
    row = next(each for each in moment.state.plan.timeline if each.steps == ("code.backend",))
    painted = next(line.plain for line in timeline(paced, 110, 20) if line.plain.startswith(row.title[:16]))
    took = words.duration(moment.state.steps["code.backend"].elapsed or 0.0)
    assert f"{took} of {words.planned(row.planned)}" in painted


def test_a_failure_says_what_failed_what_production_is_and_what_helps() -> None:
    view = view_of("failed-build")
    text = "\n".join(line.plain for line in detail(view, view.state.steps["code.backend"], 90))
    order = [text.index(part) for part in ("What failed", "ended with build_failed", "Production now", "What helps")]
    assert order == sorted(order)


def test_statements_are_done_at_work_or_to_come_with_their_times() -> None:
    heard = hear(None, Progress("statement 1 of 3: A", data={"statement": 1}), BEGIN)
    heard = hear(heard, Progress("statement 2 of 3: B", data={"statement": 2}), BEGIN.replace(microsecond=4000))
    later = BEGIN.replace(second=3)
    timed = [(name, heard.seconds(number, later)) for number, name in enumerate(("A", "B", "C"), 1)]
    assert [line.plain.split() for line in blocks.parts(timed, heard.part, 40)] == [
        ["✔", "A", "4", "ms"],
        ["▶", "B", "3.0", "s"],
        ["○", "C"],
    ]


def test_a_step_that_goes_on_to_something_else_has_done_its_last_statement() -> None:
    heard = hear(None, Progress("statement 1 of 1: A", data={"statement": 1}), BEGIN)
    same = hear(heard, Progress("statement 1 of 1: A", lines=(Line("waits for us"),)), BEGIN)
    assert same.part == 1
    assert hear(same, Progress("committing"), BEGIN).part == 2


def test_every_tone_has_a_sign_or_a_note_beside_its_colour() -> None:
    lines = [Line("text", tone=tone) for tone in (Tone.WARNING, Tone.DANGER, Tone.GOOD)]
    assert [line.plain.strip()[0] for line in blocks.live(lines, 40)] == ["!", "!", "✔"]


def test_markup_and_control_characters_from_outside_are_text() -> None:
    content = ink.line("[bold]x[/bold]\x1b[31m")
    assert content.plain == "[bold]x[/bold]␛[31m"
    assert not content.spans


@pytest.mark.parametrize(
    ("seconds", "text"), [(0, "0:00"), (39.9, "0:39"), (724, "12:04"), (3729, "1:02:09"), (-3, "0:00")]
)
def test_durations(seconds: float, text: str) -> None:
    assert words.duration(seconds) == text


@pytest.mark.parametrize(
    ("low", "high", "text"),
    [(120, 300, "2–5 min"), (1800, 1800, "30 min"), (20, 40, "20–40 s"), (15, 15, "15 s"), (90, 120, "1.5–2 min")],
)
def test_planned_ranges(low: float, high: float, text: str) -> None:
    assert words.planned(DurationRange(low, high)) == text
