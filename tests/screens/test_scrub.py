"""Whoever watches goes back and forth through the run's time, sees every screen as it was then, and is live again."""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import replace

import pytest
from textual.pilot import Pilot

from console.domain.events import Event, Kind
from console.domain.hosting import LogEntry
from console.errors import JournalError
from console.ports import StateChanged, TailStatus
from screens.app import ConsoleApp
from screens.base import ConsoleScreen
from screens.leads import Jump, Travel
from screens.paint import words
from screens.view import View
from screens.widgets.keybar import KeyBar
from screens.widgets.panes import Header
from screens.widgets.scrub import ScrubBar
from screens.widgets.tail import Tail
from tests.screens.driving import press, until
from tests.screens.fakes import READS, FakeFeed, app_for
from tests.screens.moments import MOMENTS
from tests.screens.pasts import looking_back, rolled_back, signed
from tests.screens.story import BEGIN, Story

SIZE = (120, 36)


def watched(story: Story) -> tuple[ConsoleApp, FakeFeed]:
    """An observer's console on a run."""
    return app_for(looking_back(story))


def top(app: ConsoleApp) -> ConsoleScreen:
    assert isinstance(app.screen, ConsoleScreen)
    return app.screen


def view_of(app: ConsoleApp) -> View:
    """What the screen on top shows."""
    return top(app).shown


def header(app: ConsoleApp) -> str:
    return "\n".join(line.plain for line in app.screen.query_one(Header).lines)


def bar(app: ConsoleApp) -> list[str]:
    """The lines of the bar of times, none when it is not in sight."""
    return [line.plain for each in app.screen.query(ScrubBar) if each.display for line in each.lines]


async def go(pilot: Pilot[None], app: ConsoleApp, *jumps: Jump) -> None:
    """Move, as the keys do."""
    for jump in jumps:
        top(app).desk.pursue(Travel(jump))
    await pilot.pause()


async def look_back(pilot: Pilot[None], app: ConsoleApp) -> None:
    """Into the past, which is there once the history is read."""
    await press(pilot, "t")
    await until(pilot, lambda: bool(bar(app)), "the bar of times stands")


def more(feed: FakeFeed, story: Story, kind: Kind, step: str | None = None, **data: str) -> None:
    """The run goes on."""
    story.wait(5).tell(kind, step, **data)
    feed.clock.now = story.now
    feed.publish(StateChanged(story.state, story.events[-1:]))


async def test_one_key_leads_into_the_past_and_back_to_live() -> None:
    app, feed = watched(signed())
    async with app.run_test(size=(80, 24)) as pilot:
        await press(pilot)
        assert "WATCHING" in header(app)
        assert not bar(app)
        await look_back(pilot, app)
        assert "◀ PAST 15:26:29" in header(app)
        assert "WATCHING" not in header(app)
        await press(pilot, "home")
        assert "T+ 00:00:00" in header(app)
        assert "event 1 of 70" in bar(app)[0]
        await press(pilot, "right", "right_square_bracket", "right_curly_bracket", "left")
        assert view_of(app).state.seq > 3
        assert view_of(app).now > BEGIN
        assert words.clock(view_of(app).since_start) in header(app)
        for leaves in ("t", "escape"):
            await press(pilot, leaves)
            assert "WATCHING" in header(app)
            assert not bar(app)
            assert view_of(app).state is feed.state
            await press(pilot, "left", "home")
            assert "WATCHING" in header(app), "what leads through the past does nothing in the present"
            await look_back(pilot, app)


async def test_every_screen_shows_the_same_moment() -> None:
    app, _ = watched(signed())
    async with app.run_test(size=SIZE) as pilot:
        await look_back(pilot, app)
        below = app.screen
        for key in ("l", "s", "w"):
            await go(pilot, app, Jump.TURN_BACK)
            before = view_of(app)
            await press(pilot, key)
            assert app.screen is not below
            assert view_of(app).state is before.state
            assert f"PAST {words.at(before.now, seconds=True)}" in header(app)
            await go(pilot, app, Jump.TURN_BACK)
            assert f"PAST {words.at(view_of(app).now, seconds=True)}" in header(app)
            assert bar(app)[0].startswith(words.at(view_of(app).now, seconds=True))
            assert view_of(app).state.seq < before.state.seq
            await press(pilot, "escape")
            assert app.screen is below
            assert view_of(app).state.seq < before.state.seq
        await press(pilot, "l", "t", "escape")
        assert app.screen is below
        assert "PAST" not in header(app)


async def test_the_incidents_screen_makes_way_where_there_was_no_incident() -> None:
    """The run's stands there, with the plan from before the way back; with the incident its screen is back."""
    story = rolled_back()
    app, _ = watched(story)
    async with app.run_test(size=SIZE) as pilot:
        await press(pilot)
        assert top(app).SCREEN == "incident"
        await look_back(pilot, app)
        await go(pilot, app, Jump.BEGIN)
        assert top(app).SCREEN == "run"
        assert view_of(app).state.plan == story.plan
        await go(pilot, app, Jump.END)
        assert top(app).SCREEN == "incident"
        assert view_of(app).state == story.state
        await go(pilot, app, Jump.BEGIN, Jump.LIVE)
        assert top(app).SCREEN == "incident"
        assert not bar(app)


async def test_in_the_past_no_key_means_two_things_and_every_one_leads_somewhere() -> None:
    app, _ = watched(rolled_back())
    async with app.run_test(size=SIZE) as pilot:
        await look_back(pilot, app)
        for door in ("", "m", "l", "w", "s"):
            await press(pilot, *door)
            moment = top(app).moment()
            working = top(app).desk.working(moment)
            keys = [key for command in working for key in command.keys]
            assert len(keys) == len(set(keys))
            assert all(command.leads(moment) is not None for command in working)
            jumps = {lead.to for command in working if isinstance(lead := command.leads(moment), Travel)}
            assert jumps == set(Jump) - {Jump.PAST}, moment.screen
        await press(pilot, "escape", "r")
        assert top(app).SCREEN == "incident", "the record is only ever written as of now"
        assert [toast.title for toast in app._notifications] == ["Not now"]


async def test_what_goes_on_meanwhile_is_taken_in_silently() -> None:
    story = signed()
    app, feed = watched(story)
    async with app.run_test(size=SIZE) as pilot:
        await look_back(pilot, app)
        await go(pilot, app, Jump.TURN_BACK)
        then = view_of(app)
        for number in range(3):
            more(feed, story, Kind.NOTE_ADDED, text=f"note {number}")
        feed.publish(TailStatus(connected=True))
        app.frame()
        assert (view_of(app).state, view_of(app).now) == (then.state, then.now)
        assert "3 new events" in bar(app)[0]
        await press(pilot, "t")
        assert view_of(app).state is feed.state
        assert view_of(app).now == story.now


async def test_a_history_that_no_longer_follows_is_left_and_read_anew() -> None:
    story = signed()
    app, feed = watched(story)
    async with app.run_test(size=SIZE) as pilot:
        await look_back(pilot, app)
        story.wait(1).tell(Kind.NOTE_ADDED, text="missed")
        feed.events.append(story.events[-1])
        more(feed, story, Kind.NOTE_ADDED, text="told")
        app.frame()
        await press(pilot)
        assert "WATCHING" in header(app)
        await look_back(pilot, app)
        assert f"event {len(story.events)} of {len(story.events)}" in bar(app)[0]


def reading(feed: FakeFeed, history: Callable[[], Awaitable[Sequence[Event]]]) -> ConsoleApp:
    """An observer's console whose history is read like this."""
    return ConsoleApp(feed, None, reads=replace(READS, history=history), now=feed.clock)


async def test_what_comes_while_the_history_is_read_is_not_lost() -> None:
    story = signed()
    feed, before = FakeFeed(story.state), story.events

    async def history() -> Sequence[Event]:
        more(feed, story, Kind.NOTE_ADDED, text="meanwhile")
        return before

    app = reading(feed, history)
    async with app.run_test(size=SIZE) as pilot:
        await look_back(pilot, app)
        assert view_of(app).state == story.state
        assert f"event {len(story.events)} of {len(story.events)}" in bar(app)[0]


async def test_a_history_that_cannot_be_read_is_told_with_what_helps() -> None:
    async def history() -> Sequence[Event]:
        raise JournalError("The journal is gone.", remedy="Look for it.")

    app = reading(FakeFeed(signed().state), history)
    async with app.run_test(size=SIZE) as pilot:
        await press(pilot, "t")
        await until(pilot, lambda: bool(app._notifications), "it is told")
        assert [toast.message for toast in app._notifications] == ["The journal is gone.\nLook for it."]
        assert "WATCHING" in header(app)


async def test_whoever_drives_cannot_look_away() -> None:
    app, _ = app_for(MOMENTS["migrating"]())
    async with app.run_test(size=SIZE) as pilot:
        await press(pilot, "t", "left_square_bracket")
        assert not bar(app)
        assert not [entry for entry in app.screen.query_one(KeyBar).entries if entry.label == "look back"]


async def test_the_log_ends_at_the_moment_and_goes_on_behind_it() -> None:
    story = signed()
    app, feed = watched(story)
    async with app.run_test(size=SIZE) as pilot:
        await look_back(pilot, app)
        await go(pilot, app, *[Jump.TURN_BACK] * 30)
        await press(pilot, "l")
        tail, before = app.screen.query_one(Tail), view_of(app)
        shown = [tail.sieve.ring[tail.sieve.number(row)] for row in range(len(tail.sieve))]
        assert shown
        assert all(line.at <= before.now for line in shown)
        feed.log(LogEntry("new", story.now, "srv-b", "GET /new 200"))
        app.frame()
        assert len(tail.sieve) == len(shown)
        await press(pilot, "left")
        assert view_of(app).state.seq == before.state.seq - 1, "the keys that lead sideways lead through time"
        await press(pilot, "home")
        assert (view_of(app).state.seq, len(tail.sieve)) == (1, 0)
        await press(pilot, "t")
        assert len(tail.sieve) == len(feed.tail) + 1
        assert tail.sieve.ring[tail.sieve.number(len(tail.sieve) - 1)].text == "GET /new 200"


async def test_a_click_on_the_bar_goes_to_what_is_marked_there_and_a_drag_follows() -> None:
    story = rolled_back()
    app, _ = watched(story)
    async with app.run_test(size=SIZE) as pilot:
        await look_back(pilot, app)
        await pilot.click(ScrubBar, offset=(bar(app)[1].index("↩") + 1, 2))
        chosen = next(event for event in story.events if event.kind is Kind.ROLLBACK_CHOSEN)
        assert view_of(app).now == chosen.at
        assert view_of(app).state.rollback is not None
        await pilot.mouse_down(ScrubBar, offset=(100, 2))
        await pilot.hover(ScrubBar, offset=(109, 2))
        dragged = view_of(app).now
        assert dragged > chosen.at
        await pilot.mouse_up(ScrubBar, offset=(109, 2))
        await pilot.hover(ScrubBar, offset=(90, 2))
        assert view_of(app).now == dragged


async def test_the_past_plays_until_it_is_stopped() -> None:
    app, _ = watched(signed())
    async with app.run_test(size=SIZE) as pilot:
        await look_back(pilot, app)
        await press(pilot, "home", "space")
        assert "▶ ×60" in bar(app)[0]
        await until(pilot, lambda: view_of(app).now > BEGIN, "time goes by")
        await press(pilot, "space")
        stopped = view_of(app).now
        assert "‖ ×60" in bar(app)[0]
        await press(pilot, "l")
        assert view_of(app).now == stopped


async def test_without_colours_the_past_is_still_unmistakable(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NO_COLOR", "1")
    app, _ = watched(signed())
    async with app.run_test(size=(80, 24)) as pilot:
        await look_back(pilot, app)
        await go(pilot, app, *[Jump.TURN_BACK] * 10)
        assert app.no_color
        assert "◀ PAST" in header(app)
        before, _, behind = bar(app)[1].partition("█")
        assert set("━┻┳╋") & set(before)
        assert behind
        assert not set("━┻┳╋█") & set(behind)
