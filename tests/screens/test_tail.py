"""The log: a ring that loses nothing within its capacity, a tail that follows or stays, text that is never obeyed."""

from collections.abc import Iterable
from datetime import timedelta

import pytest
from textual.widgets import Input

from console.domain.hosting import LogEntry
from console.domain.untrusted import safe
from screens.classify import mark_of
from screens.ring import LogLine, Mark, Ring, Sieve
from screens.widgets.logpane import Pulse
from screens.widgets.tail import Tail
from tests.screens.fakes import app_for
from tests.screens.moments import MOMENTS
from tests.screens.story import BEGIN

SIZE = (120, 36)


def entry(number: int, text: str = "", *, service: str = "srv-b", level: str = "info") -> LogEntry:
    moment = BEGIN + timedelta(milliseconds=number)
    return LogEntry(f"log-{number}", moment, service, text or f"line {number}", level=level)


def entries(numbers: Iterable[int]) -> list[LogEntry]:
    return [entry(number) for number in numbers]


def test_a_ring_keeps_every_line_within_its_capacity_in_order() -> None:
    ring = Ring(mark_of, capacity=100)
    for start in range(0, 95, 7):
        ring.extend(entries(range(start, min(start + 7, 95))))
    assert [ring[number].text for number in range(ring.first, ring.end)] == [f"line {n}" for n in range(95)]


def test_a_full_ring_drops_the_oldest_and_keeps_the_numbers() -> None:
    ring = Ring(mark_of, capacity=100)
    ring.extend(entries(range(250)))
    assert (ring.first, ring.end, len(ring)) == (150, 250, 100)
    assert [ring[number].text for number in range(150, 250)] == [f"line {n}" for n in range(150, 250)]
    with pytest.raises(IndexError):
        ring[149]


def test_a_ring_counts_marks_and_remembers_the_first_error() -> None:
    ring = Ring(mark_of, names={"srv-b": "backend"})
    ring.extend(
        [entry(0), entry(1, "ERROR: boom", level="error"), entry(2, 'ERROR: record "old" has no field "is_trial"')]
    )
    assert (ring.marks[Mark.ERROR], ring.marks[Mark.SCHEMA], ring.first_error) == (1, 1, 1)
    assert ring.services == {"backend": 3}


def test_a_sieve_finds_the_same_lines_however_they_came_in() -> None:
    ring = Ring(mark_of, capacity=1000)
    sieve = Sieve(ring, lambda line: line.text.endswith("7"))
    gone = 0
    for start in range(0, 5000, 130):
        ring.extend(entries(range(start, start + 130)))
        gone += sieve.catch_up()
    held = [sieve.number(row) for row in range(len(sieve))]
    assert held == [number for number in range(ring.first, ring.end) if str(number).endswith("7")]
    assert gone + len(held) >= len(held)
    assert sieve.number(sieve.row_at(held[10])) == held[10]


async def test_lines_that_arrive_are_shown_at_the_end() -> None:
    app, feed = app_for(MOMENTS["push"]())
    async with app.run_test(size=SIZE) as pilot:
        await pilot.pause()
        feed.log(*entries(range(500)))
        app.frame()
        await pilot.pause()
        tail = app.screen.query_one(Tail)
        assert "line 499" in tail.render_line(tail.size.height - 1).text
        assert len(tail.sieve) == 540


async def test_scrolling_up_stays_put_while_lines_arrive_and_the_end_follows_again() -> None:
    app, feed = app_for(MOMENTS["push"]())
    async with app.run_test(size=SIZE) as pilot:
        await pilot.pause()
        feed.log(*entries(range(500)))
        app.frame()
        await pilot.pause()
        tail = app.screen.query_one(Tail)
        tail.scroll_relative(y=-50, animate=False, immediate=True)
        await pilot.pause()
        assert not tail.following
        first = tail.render_line(0).text
        feed.log(*entries(range(500, 900)))
        app.frame()
        await pilot.pause()
        assert tail.render_line(0).text == first
        assert "paused, 400 new below" in app.screen.query_one(Pulse).lines[0].plain
        tail.follow()
        await pilot.pause()
        assert tail.following
        assert "line 899" in tail.render_line(tail.size.height - 1).text


async def test_a_paused_tail_stays_with_its_lines_while_the_oldest_fall_out() -> None:
    app, _ = app_for(MOMENTS["push"]())
    async with app.run_test(size=SIZE) as pilot:
        await pilot.pause()
        ring = Ring(mark_of, capacity=300)
        ring.extend(entries(range(300)))
        tail = app.screen.query_one(Tail)
        tail.look_through(Sieve(ring))
        await pilot.pause()
        tail.scroll_relative(y=-40, animate=False, immediate=True)
        await pilot.pause()
        first = tail.render_line(0).text
        ring.extend(entries(range(300, 350)))
        tail.catch_up()
        await pilot.pause()
        assert tail.render_line(0).text == first


HOSTILE = (
    "\x1b[2J\x1b[31mred",
    "[bold red]markup[/] [@click=app.quit]x[/]",
    "\x9b31m c1",
    "bell\x07 back\x08 null\x00",
    "right-to-left \u202e override",
    "zero\u200bwidth \ufeffmark",
    "line\nfeed\r\x0bvertical",
    "lone \ud800 surrogate",
    "\x1b]0;title\x07",
)


async def test_control_sequences_and_markup_are_shown_and_never_obeyed() -> None:
    app, feed = app_for(MOMENTS["push"]())
    async with app.run_test(size=(120, 60)) as pilot:
        await pilot.pause()
        feed.log(*(entry(number, text) for number, text in enumerate(HOSTILE)))
        app.frame()
        await pilot.pause()
        tail = app.screen.query_one(Tail)
        for y, text in enumerate(HOSTILE, tail.size.height - len(HOSTILE)):
            strip = tail.render_line(y)
            assert safe(text) in strip.text
            assert not any(ord(character) < 32 or 127 <= ord(character) < 160 for character in strip.text)
            assert all(segment.style is None or not segment.style.meta.get("@click") for segment in strip)
        app.export_screenshot().encode()


@pytest.mark.parametrize("text", HOSTILE)
def test_what_is_made_safe_holds_nothing_that_a_terminal_obeys(text: str) -> None:
    made = safe(text)
    assert not set(made) & {chr(code) for code in (*range(32), *range(127, 160), 0x202E, 0x200B, 0xFEFF, 0xD800)}
    assert made.encode()


async def test_the_log_screen_filters_by_service_grade_and_text() -> None:
    app, feed = app_for(MOMENTS["push"]())
    async with app.run_test(size=SIZE) as pilot:
        await pilot.pause()
        feed.log(
            entry(1, "ERROR: no account_status", level="error"),
            entry(2, 'column "account_status" does not exist (SQLSTATE 42703)', level="error"),
            entry(3, "GET / 200", service="srv-f"),
        )
        app.frame()
        await pilot.press("l")
        await pilot.pause()
        tail = app.screen.query_one(Tail)

        def shown() -> list[LogLine]:
            return [tail.sieve.ring[tail.sieve.number(row)] for row in range(len(tail.sieve))]

        await pilot.press("e")
        assert [line.mark for line in shown()] == [Mark.ERROR, Mark.SCHEMA]
        await pilot.press("e")
        assert [line.mark for line in shown()] == [Mark.SCHEMA]
        await pilot.press("e", "v", "v")
        assert {line.service for line in shown()} == {"frontend"}
        await pilot.press("v", "slash", *"ACCOUNT_", "enter")
        await pilot.pause()
        assert len(shown()) == 2
        await pilot.press("escape")
        await pilot.pause()
        assert app.screen.query_one(Input).value == ""
        assert len(shown()) == len(app.screen_stack[1].desk.ring)


async def test_the_log_screen_jumps_to_the_first_error() -> None:
    app, feed = app_for(MOMENTS["push"]())
    async with app.run_test(size=SIZE) as pilot:
        await pilot.pause()
        feed.log(entry(0, "ERROR: first", level="error"), *entries(range(1, 400)))
        app.frame()
        await pilot.press("l")
        await pilot.pause()
        await pilot.press("x")
        await pilot.pause()
        tail = app.screen.query_one(Tail)
        assert any("ERROR: first" in tail.render_line(y).text for y in range(tail.size.height))
        await pilot.press("f")
        await pilot.pause()
        assert "line 399" in tail.render_line(tail.size.height - 1).text
