"""The plan's timeline beside what happened."""

from dataclasses import replace
from datetime import timedelta

import pytest

from console.domain import intents as i
from console.domain.plan import DurationRange, TimelineRow
from console.domain.timeline import RowStatus, Timeline, timeline
from tests.domain.history import History
from tests.domain.plans import ASKED, plan, step

MINUTE = 60.0


def row(title: str, low: float, high: float, *steps: str) -> TimelineRow:
    return TimelineRow("all", title, DurationRange(low * MINUTE, high * MINUTE), steps)


PLAN = plan(
    step("backup"),
    step("merge", after=("backup",), confirmation=ASKED),
    step("backend", after=("merge",)),
    step("frontend", after=("merge",)),
    step("migrate", after=("backend", "frontend")),
    timeline=(
        row("Backup", 10, 20, "backup"),
        row("Merge", 1, 1, "merge"),
        row("Backend", 3, 5, "backend"),
        row("Frontend", 3, 5, "frontend"),
        row("Migrate", 2, 5, "migrate"),
    ),
    declared=DurationRange(60 * MINUTE, 90 * MINUTE),
)


def at(history: History) -> Timeline:
    return timeline(history.state, history.now)


def minutes(span: DurationRange) -> tuple[int, int]:
    return round(span.low / MINUTE), round(span.high / MINUTE)


def test_before_the_start_it_is_the_plan_with_rows_side_by_side_where_they_may_be() -> None:
    table = at(History(PLAN))
    assert minutes(table.declared) == (60, 90)
    assert minutes(table.computed) == (19, 36), "the rows one after the other, as the plan counts them"
    assert minutes(table.forecast) == (16, 31), "the builds run side by side"
    assert [minutes(each.ends) for each in table.rows] == [(10, 20), (11, 21), (14, 26), (14, 26), (16, 31)]
    assert {each.status for each in table.rows} == {RowStatus.PENDING}
    assert (table.elapsed, table.behind_minutes) == (0.0, 0)


def test_a_row_takes_its_time_from_its_steps() -> None:
    history = History(PLAN).begin().succeed("backup", seconds=12 * MINUTE)
    table = at(history)
    done = table.rows[0]
    assert done.status is RowStatus.DONE
    assert done.actual == pytest.approx(12 * MINUTE, abs=2)
    assert minutes(done.ends) == (12, 12)
    assert minutes(table.rows[1].begins) == (12, 12)
    assert minutes(table.forecast) == (18, 23)
    assert table.behind_minutes == -3, "the middle of the plan was fifteen minutes"


def test_a_row_that_takes_longer_moves_everything_behind_it() -> None:
    history = History(PLAN).begin().start("backup").wait(50 * MINUTE)
    table = at(history)
    assert table.rows[0].status is RowStatus.RUNNING
    assert table.rows[0].over_plan == pytest.approx(30 * MINUTE, abs=2)
    assert minutes(table.rows[0].ends) == (50, 50)
    assert minutes(table.forecast) == (56, 61)
    assert table.behind_minutes > 30


def test_time_that_passes_while_nothing_runs_moves_the_forecast_and_is_counted_apart() -> None:
    history = History(PLAN).begin().succeed("backup", seconds=10 * MINUTE).wait(30 * MINUTE)
    table = at(history)
    assert table.rows[1].status is RowStatus.PENDING
    assert minutes(table.rows[1].begins) == (40, 40)
    assert table.waited_for_people == pytest.approx(30 * MINUTE, abs=2)
    history.confirm("merge").start("merge").wait(60)
    assert at(history).waited_for_people == pytest.approx(30 * MINUTE, abs=5), "it has begun: nobody is waited for"


def test_failed_skipped_and_partly_done_rows_show_as_such() -> None:
    history = History(PLAN).begin().succeed("backup").ask(i.Skip("merge", "merged already"))
    history.fail("backend").start("frontend")
    table = at(history)
    assert [each.status for each in table.rows] == [
        RowStatus.DONE,
        RowStatus.SKIPPED,
        RowStatus.FAILED,
        RowStatus.RUNNING,
        RowStatus.PENDING,
    ]
    assert table.rows[1].actual is None


def test_beside_a_pace_what_was_done_took_what_it_took_and_nothing_is_late() -> None:
    history = History(PLAN, rehearsal=True, pace=600.0).begin().succeed("backup", seconds=50.0)
    history.confirm("merge").start("merge").wait(40)
    table = at(history)
    assert not table.comparable
    assert [each.actual for each in table.rows[:2]] == [pytest.approx(51), pytest.approx(40, abs=1)]
    assert table.elapsed == pytest.approx(95, abs=5)
    assert {each.over_plan for each in table.rows} == {0.0}
    assert (table.drift, table.behind_minutes) == (0.0, 0)
    assert table.forecast == at(History(PLAN)).forecast, "nothing is foreseen: it is what was planned"


def test_beside_a_pace_the_bars_stand_where_the_plan_has_them() -> None:
    history = History(PLAN, rehearsal=True, pace=60.0).begin().succeed("backup", seconds=12.0)
    history.confirm("merge").succeed("merge", seconds=90.0)
    table = at(history)
    assert [minutes(each.begins) for each in table.rows] == [(0, 0), (10, 20), (11, 21), (11, 21), (14, 26)]
    assert table.rows[0].length == pytest.approx(13 * MINUTE), "a paced wait stands for the planned one"
    assert table.rows[1].length == MINUTE, "real work is not paced: its bar ends with what was planned"
    assert table.rows[2].length is None


def test_a_row_without_a_planned_time_is_never_late_and_moves_no_forecast() -> None:
    rows = (*PLAN.timeline[:1], TimelineRow("all", "Words", DurationRange(0, 0), ("merge",)))
    history = History(replace(PLAN, timeline=rows)).begin().succeed("backup", seconds=10 * MINUTE)
    history.confirm("merge").start("merge").wait(30 * MINUTE)
    table = at(history)
    assert table.rows[1].actual == pytest.approx(30 * MINUTE, abs=2)
    assert table.rows[1].over_plan == 0.0
    assert minutes(table.forecast) == (10, 10)
    assert table.behind_minutes == -5, "the middle of the plan was fifteen minutes"


def test_a_finished_run_no_longer_ages() -> None:
    history = History(PLAN).begin().succeed("backup", seconds=600).ask(i.Finish("abandoned", "rain"))
    then = timeline(history.state, history.now)
    assert timeline(history.state, history.now + timedelta(days=1)) == then


def test_a_plan_without_rows_has_no_forecast_of_its_own() -> None:
    history = History(plan(step("a"))).begin().wait(100)
    assert at(history).forecast == DurationRange(100.0, 100.0)


def test_a_wait_for_a_person_is_neither_paced_nor_part_of_what_a_row_took() -> None:
    """In a rehearsal at pace 60 half a minute of thinking is half a minute, not half an hour behind the plan."""
    history = History(PLAN, rehearsal=True, pace=60.0).begin().succeed("backup", seconds=12)
    before = at(history)
    assert history.state.waiting_since is not None, "the run waits for a yes"
    after = at(history.wait(30))
    assert after.elapsed - before.elapsed == pytest.approx(30)
    assert after.waited_for_people - before.waited_for_people == pytest.approx(30)
    assert after.rows[0].actual == before.rows[0].actual == pytest.approx(12, abs=1)
    history.confirm("merge").start("merge").wait(1)
    assert at(history).rows[1].actual == pytest.approx(1), "the thinking before it is no part of it"
