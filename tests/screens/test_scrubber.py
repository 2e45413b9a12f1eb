"""Moving through a run's time: where one arrives, what is shown there, and what comes meanwhile."""

from datetime import timedelta

import pytest

from console.domain.events import Kind
from console.domain.fold import fold, initial
from console.domain.history import History, as_planned
from console.domain.hosting import LogEntry
from console.ports import StateChanged
from console.report.event_lines import sign_and_text
from screens.heard import Heard
from screens.leads import Jump
from screens.paint import scrub
from screens.past import Past
from screens.ring import Mark, Ring, Sieve
from screens.scrubber import SPEEDS, Scrubber
from screens.view import View
from tests.screens.moments import MIGRATING
from tests.screens.pasts import rolled_back, signed
from tests.screens.story import BEGIN, Story

MINUTE = timedelta(minutes=1)


def standing(story: Story) -> Scrubber:
    """At the newest event of a run, a minute after it."""
    story.wait(60)
    return Scrubber(History(story.plan, story.events), lambda: story.now, sign_and_text)


def seen(story: Story, scrubber: Scrubber) -> View:
    """What is shown there, in place of what there is now: a step that speaks, a record that cannot be read."""
    now = View(
        initial(story.plan),
        story.now,
        {"test.kpis": Heard(MIGRATING)},
        driving=False,
        record_failed="The journal is gone.",
    )
    return scrubber.view(now)


def past(story: Story, scrubber: Scrubber) -> Past:
    found = seen(story, scrubber).past
    assert found is not None
    return found


def test_every_event_is_shown_as_it_was_with_its_clock() -> None:
    """Back from the newest to the first, and on again; nothing that was only said now is shown then."""
    story = rolled_back()
    scrubber = standing(story)
    places = [*range(len(story.events), 0, -1), *range(2, len(story.events) + 1)]
    for number, place in enumerate(places):
        scrubber.move(Jump.EVENT_BACK if number < len(story.events) else Jump.EVENT_ON)
        view, event = seen(story, scrubber), story.events[place - 1]
        assert view.state.seq == place
        if place % 16 == 0:
            assert view.state == fold(story.plan, story.events[:place])
        assert view.now == event.at
        assert (view.news, view.record_failed, view.looking.since) == ({}, "", None)
        assert view.past is not None
        assert (view.past.place, view.past.count, view.past.at) == (place, len(story.events), event.at)
        assert (view.past.sign, view.past.words) == sign_and_text(view.state.plan, event)


def test_the_ends_are_reached_and_not_passed() -> None:
    story = signed()
    scrubber = standing(story)
    assert scrubber.at == story.now, "one begins where one was: now"
    for jump in (Jump.BEGIN, Jump.EVENT_BACK, Jump.TURN_BACK, Jump.STRETCH_BACK):
        scrubber.move(jump)
        assert (past(story, scrubber).place, scrubber.at) == (1, BEGIN)
    for jump in (Jump.END, Jump.EVENT_ON, Jump.TURN_ON, Jump.STRETCH_ON):
        scrubber.move(jump)
        assert (past(story, scrubber).place, scrubber.at) == (len(story.events), story.now)


def test_a_closed_run_ends_with_its_last_event() -> None:
    story = signed()
    story.wait(1).tell(Kind.RUN_FINISHED, outcome="completed", reason="", production="as planned")
    ended = story.now
    assert standing(story).at == ended


def test_turns_lead_from_one_that_matters_to_the_next() -> None:
    story = rolled_back()
    scrubber, history = standing(story), History(story.plan, story.events)
    for turn in reversed(history.turns):
        scrubber.move(Jump.TURN_BACK)
        assert (past(story, scrubber).place, scrubber.at) == (turn.place, turn.at)
    for turn in history.turns[1:]:
        scrubber.move(Jump.TURN_ON)
        assert past(story, scrubber).place == turn.place


def test_between_two_events_the_clock_counts_and_back_leads_to_the_earlier_of_them() -> None:
    story = signed()
    scrubber = standing(story)
    scrubber.move(Jump.END)
    scrubber.move(Jump.STRETCH_BACK)
    assert scrubber.at == story.now - MINUTE, "an hour's run is gone through by the minute"
    monitored = next(
        event for event in story.events if event.kind is Kind.STEP_STARTED and event.step == "monitor.logs"
    )
    scrubber.seek(monitored.at + 10 * MINUTE)
    view = seen(story, scrubber)
    assert view.state.seq < len(story.events)
    assert view.now - monitored.at == 10 * MINUTE
    assert view.since_start == (view.now - BEGIN).total_seconds()
    scrubber.move(Jump.EVENT_BACK)
    after = seen(story, scrubber)
    assert (after.state.seq, after.now) == (view.state.seq, story.events[view.state.seq - 1].at)


def test_it_plays_as_fast_as_is_asked_and_stops_at_the_end() -> None:
    story = signed()
    scrubber = standing(story)
    scrubber.play_on(10)
    assert scrubber.at == story.now, "nothing plays that was not asked to"
    scrubber.move(Jump.PLAY)
    assert (scrubber.playing, scrubber.at) == (True, BEGIN), "from the begin, where nothing follows"
    scrubber.play_on(2)
    assert scrubber.at == BEGIN + timedelta(seconds=2 * past(story, scrubber).speed)
    for speed in (600.0, 600.0):
        scrubber.move(Jump.FASTER)
        assert (past(story, scrubber).speed, scrubber.playing) == (speed, True)
    for speed in (*reversed(SPEEDS[:-1]), 1.0):
        scrubber.move(Jump.SLOWER)
        assert past(story, scrubber).speed == speed
    scrubber.move(Jump.EVENT_ON)
    assert not scrubber.playing, "whoever moves looks"
    scrubber.move(Jump.PLAY)
    scrubber.play_on(100_000)
    assert (scrubber.playing, scrubber.at) == (False, story.now)


def test_what_goes_on_meanwhile_is_taken_in_and_counted() -> None:
    story = signed()
    scrubber = standing(story)
    scrubber.move(Jump.TURN_BACK)
    then = seen(story, scrubber)
    for number in range(1, 4):
        story.wait(5).tell(Kind.NOTE_ADDED, text=f"note {number}")
        assert scrubber.hear(StateChanged(story.state, story.events[-1:]))
        assert past(story, scrubber).new == number
    assert (seen(story, scrubber).state, seen(story, scrubber).now) == (then.state, then.now)
    scrubber.move(Jump.END)
    assert seen(story, scrubber).state == story.state
    assert past(story, scrubber).new == 0


def test_what_is_taken_back_is_gone_and_what_is_missing_is_noticed() -> None:
    story = signed()
    scrubber = standing(story)
    kept = story.events[:-2]
    assert scrubber.hear(StateChanged(fold(story.plan, kept), ()))
    assert (past(story, scrubber).place, past(story, scrubber).count) == (len(kept), len(kept))
    assert not scrubber.hear(StateChanged(story.state, story.events[-1:]))
    assert not scrubber.hear(StateChanged(fold(story.plan, ()), ()))


def test_the_plan_is_the_one_from_before_the_way_back() -> None:
    story = rolled_back()
    assert len(story.state.plan.steps) > len(story.plan.steps)
    assert as_planned(story.state, story.events) == story.plan
    early = fold(story.plan, story.events[:10])
    assert as_planned(early, story.events) == story.plan, "a reader may know more events than the state"


def test_the_bar_marks_what_matters_and_where_one_stands() -> None:
    story = rolled_back()
    scrubber = standing(story)
    scrubber.move(Jump.BEGIN)
    scrubber.seek(BEGIN + (story.now - BEGIN) / 2)
    for width in (40, 80, 200):
        found = past(story, scrubber)
        about, line = scrub.bar(found, scrub.marks(found, width), width)
        assert about.plain.startswith(found.at.strftime("%H:%M:%S"))
        assert f"event {found.place} of {found.count}" in about.plain
        assert line.cell_length == about.cell_length == width
        assert line.plain[:5] == "14:30"
        before, _, behind = line.plain[5:].partition("█")
        assert set("━┳╋") & set(before)
        assert not set("━┻┳╋") & set(behind)
        assert "!" in behind


def test_a_column_with_a_sign_is_the_moment_of_what_it_stands_for() -> None:
    story = rolled_back()
    scrubber = standing(story)
    found = past(story, scrubber)
    marked = scrub.marks(found, 120)
    _, line = scrub.bar(found, marked, 120)
    chosen = next(event for event in story.events if event.kind is Kind.ROLLBACK_CHOSEN)
    assert scrub.moment_at(found, marked, line.plain.index("↩")) == chosen.at
    assert scrub.moment_at(found, marked, 0) == found.begins
    assert scrub.moment_at(found, marked, 119) == found.until


def ring_of(count: int, capacity: int = 1000) -> Ring:
    """A ring into which so many lines came, every tenth an error."""
    ring = Ring(lambda entry: Mark.ERROR if entry.text.endswith("7") else Mark.PLAIN, capacity=capacity)
    extend(ring, range(count))
    return ring


def extend(ring: Ring, numbers: range) -> None:
    ring.extend(LogEntry(f"{n}", BEGIN + timedelta(seconds=n), "backend", f"line {n}") for n in numbers)


def texts(sieve: Sieve) -> list[str]:
    sieve.catch_up()
    return [sieve.ring[sieve.number(row)].text for row in range(len(sieve))]


@pytest.mark.parametrize("second", [-1, 0, 6, 7, 50, 99])
def test_a_ring_ends_at_a_moment_and_counts_what_there_was(second: int) -> None:
    ring = ring_of(100)
    every, errors = Sieve(ring), Sieve(ring, lambda line: line.mark is Mark.ERROR)
    assert (len(texts(every)), len(texts(errors))) == (100, 10)
    known = [f"line {n}" for n in range(second + 1)]
    ring.stand_at(BEGIN + timedelta(seconds=second))
    for more in (range(0), range(100, 108)):
        extend(ring, more)
        assert texts(every) == known
        assert texts(errors) == [text for text in known if text.endswith("7")]
        assert ring.marks[Mark.ERROR] == len(texts(errors))
        assert ring.first_error == (7 if second >= 7 else None)
    ring.stand_at(None)
    assert (len(texts(every)), len(texts(errors)), ring.marks[Mark.ERROR]) == (108, 11, 11)


def test_a_ring_whose_lines_from_then_have_fallen_out_is_empty() -> None:
    ring = ring_of(100, capacity=20)
    ring.stand_at(BEGIN + timedelta(seconds=85))
    assert texts(Sieve(ring)) == [f"line {n}" for n in range(80, 86)]
    extend(ring, range(100, 130))
    assert len(ring) == 0
    assert texts(Sieve(ring)) == []
    ring.stand_at(None)
    assert texts(Sieve(ring)) == [f"line {n}" for n in range(110, 130)]
