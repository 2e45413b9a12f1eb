"""Going back in a run's time: the state at any event is the fold of the events up to it, found quickly."""

import time
from collections.abc import Sequence
from datetime import timedelta

import pytest
from msgspec import structs

from console.domain import history as module
from console.domain.events import Event, Kind
from console.domain.fold import fold
from console.domain.history import History
from console.domain.plan import Json
from console.domain.state import StepStatus
from tests.domain.history import BEGIN, over
from tests.domain.history import History as Told
from tests.domain.plans import plan, release_plan, step

PLAN = release_plan()
LONG = plan(step("a"), step("b", after=("a",)))


def released() -> Sequence[Event]:
    return over(Told(PLAN)).events


def long_run(count: int) -> Sequence[Event]:
    """A run in which one step says what it does for as long as is wanted."""
    told = Told(LONG).begin().start("a")
    data: dict[str, Json] = {"text": "on", "share": 0.5, "data": {"rows": 1}}
    more = (
        Event(seq, BEGIN + timedelta(seconds=seq), "r1", "console", Kind.STEP_PROGRESSED, "a", data)
        for seq in range(len(told.events) + 1, count + 1)
    )
    return [*told.events, *more]


@pytest.mark.parametrize("stride", [1, 2, 3, 64])
def test_the_state_at_any_event_is_the_fold_up_to_it(stride: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """In any order, and with snapshots at any distance, also where many of them were given up."""
    monkeypatch.setattr(module, "STRIDE", stride)
    monkeypatch.setattr(module, "SNAPSHOTS", 4)
    events = released()
    history = History(PLAN, events)
    folds = [fold(PLAN, events[:place]) for place in range(len(events) + 1)]
    for order in (range(len(folds)), reversed(range(len(folds))), (0, len(events), 7, 6, 20, 1)):
        assert all(history.state(place) == folds[place] for place in order)


def test_events_come_one_by_one_or_all_at_once() -> None:
    events = released()
    at_once, growing = History(PLAN, events), History(PLAN)
    for event in events:
        growing.extend([event])
    assert len(growing) == len(at_once) == len(events)
    assert growing.turns == at_once.turns
    assert [growing.state(place) for place in (0, 5, len(events))] == [
        at_once.state(place) for place in (0, 5, len(events))
    ]


def test_an_event_that_does_not_follow_is_refused() -> None:
    events = released()
    with pytest.raises(ValueError, match="event 4 does not follow the 2"):
        History(PLAN, events[:2]).extend(events[3:])
    with pytest.raises(IndexError):
        History(PLAN, events[:2]).state(3)


@pytest.mark.parametrize("count", [0, 1, 9, 12])
def test_events_can_be_taken_back_and_told_otherwise(count: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """A disk refused to keep the last line after it was read: what was known of it must not come up again."""
    monkeypatch.setattr(module, "STRIDE", 3)
    events = released()
    history = History(PLAN, events)
    history.state(count + 1)
    history.cut(count)
    assert len(history) == count
    assert history.state(count) == fold(PLAN, events[:count])
    assert all(turn.place <= count for turn in history.turns)
    history.extend(events[count:])
    assert history.turns == History(PLAN, events).turns
    assert history.state(len(events)) == fold(PLAN, events)


def test_a_moment_is_after_the_events_that_had_happened() -> None:
    history = History(PLAN, released())
    assert history.place(BEGIN) == 0
    for place in range(1, len(history) + 1):
        assert history.place(history.time(place)) >= place
        assert history.place(history.time(place) - timedelta(milliseconds=1)) < place


def test_the_runs_time_does_not_go_back_with_a_clock_that_does() -> None:
    events = list(released())
    events[5] = structs.replace(events[5], at=events[5].at - timedelta(hours=1))
    history = History(PLAN, events)
    times = [history.time(place) for place in range(1, len(history) + 1)]
    assert times == sorted(times)
    assert history.place(history.time(6)) == 6


def test_the_turns_are_walked_in_both_directions() -> None:
    told = over(Told(PLAN))
    told.happen(Kind.NOTE_ADDED, text="quiet").happen(Kind.INCIDENT_DECLARED, reason="errors")
    history = History(PLAN, told.events)
    forth, place = [], 0
    while (turn := history.turn_after(place)) is not None:
        forth.append(turn)
        place = turn.place
    back, place = [], len(history) + 1
    while (turn := history.turn_before(place)) is not None:
        back.append(turn)
        place = turn.place
    assert forth == back[::-1] == list(history.turns)
    kinds = {turn.kind for turn in forth}
    assert {Kind.RUN_STARTED, Kind.STEP_STARTED, Kind.STEP_SUCCEEDED, Kind.INCIDENT_DECLARED} <= kinds
    assert Kind.NOTE_ADDED not in kinds
    assert Kind.STEP_PREVIEWED not in kinds


def test_a_long_run_is_stepped_through_at_once_within_bounded_snapshots() -> None:
    """Beside one fold of all its events, which is what it would cost without snapshots."""
    events = long_run(20_000)
    begun = time.perf_counter()
    fold(LONG, events)
    whole = time.perf_counter() - begun
    history = History(LONG, events)
    places = (10_000, 19_999, 1, 5_003, 15_000, 2_900)
    begun = time.perf_counter()
    states = [history.state(place) for place in places]
    assert (time.perf_counter() - begun) / len(places) < whole / 10
    assert [len(state.steps["a"].progress) for state in states[:2]] == [9_997, 19_996]
    assert all(state.steps["a"].status is StepStatus.RUNNING for state in states if state.seq > 3)
    assert len(history._snapshots) <= module.SNAPSHOTS
