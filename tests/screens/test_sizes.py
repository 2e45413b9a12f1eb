"""Every size: from too small to be honest up to 200×60; without colours; light and dark."""

import re

import pytest

from screens.too_small import TooSmall
from screens.widgets.keybar import KeyBar
from screens.widgets.logpane import LogPane
from screens.widgets.panes import Checklist, Detail, Header
from screens.widgets.timeline import TimelinePane
from tests.screens.fakes import FakeHelm, app_for, tell_news
from tests.screens.moments import MOMENTS

WINDOW = {"ff5f57", "febc2e", "28c840", "c5c8c6"}
"""The window that a screenshot draws around the terminal: its buttons and its title."""


async def test_a_terminal_that_is_too_small_says_so_and_takes_no_key() -> None:
    helm = FakeHelm()
    app, _ = app_for(MOMENTS["push"](), helm)
    async with app.run_test(size=(40, 10)) as pilot:
        await pilot.pause()
        assert isinstance(app.screen, TooSmall)
        assert "Terminal too small" in app.export_screenshot().replace("&#160;", " ")
        await pilot.press("h", "enter", "i", "q")
        assert helm.sent == []
        await pilot.resize_terminal(80, 24)
        await pilot.pause()
        assert not isinstance(app.screen, TooSmall)
        await pilot.press("h")
        await pilot.pause()
        assert len(helm.sent) == 1


@pytest.mark.parametrize("size", [(1, 1), (10, 3), (59, 24), (80, 14)])
async def test_no_size_is_a_crash(size: tuple[int, int]) -> None:
    app, _ = app_for(MOMENTS["migrating"]())
    async with app.run_test(size=size) as pilot:
        await pilot.pause()
        assert isinstance(app.screen, TooSmall)
        await pilot.resize_terminal(200, 60)
        await pilot.resize_terminal(61, 15)
        await pilot.pause()
        assert not isinstance(app.screen, TooSmall)


async def test_a_dialog_survives_a_terminal_that_shrinks_and_grows() -> None:
    app, _ = app_for(MOMENTS["push"]())
    async with app.run_test(size=(120, 36)) as pilot:
        await pilot.pause()
        await pilot.press("enter")
        await pilot.pause()
        dialog = app.screen
        await pilot.resize_terminal(40, 10)
        await pilot.pause()
        assert isinstance(app.screen, TooSmall)
        await pilot.resize_terminal(80, 24)
        await pilot.pause()
        assert app.screen is dialog


async def test_on_a_small_terminal_step_timeline_and_log_take_turns() -> None:
    app, _ = app_for(MOMENTS["migrating"]())
    async with app.run_test(size=(80, 24)) as pilot:
        await pilot.pause()
        seen = []
        for _ in range(4):
            seen.append(tuple(app.screen.query_one(kind).region.area > 0 for kind in (Detail, TimelinePane, LogPane)))
            await pilot.press("tab")
            await pilot.pause()
        assert seen == [(True, False, False), (False, True, False), (False, False, True), (True, False, False)]


@pytest.mark.parametrize("size", [(120, 36), (200, 60)])
async def test_on_a_larger_one_all_are_there_at_once(size: tuple[int, int]) -> None:
    app, _ = app_for(MOMENTS["migrating"]())
    async with app.run_test(size=size) as pilot:
        await pilot.pause()
        for kind in (Header, Checklist, Detail, TimelinePane, LogPane, KeyBar):
            assert app.screen.query_one(kind).region.area > 0
        assert not [entry for entry in app.screen.query_one(KeyBar).entries if entry.command == "pane"]


@pytest.mark.parametrize("name", ["push", "failed-build", "migrating"])
@pytest.mark.parametrize("width", [60, 80, 100])
async def test_the_clock_stands_at_the_right_and_the_next_key_in_the_footer(name: str, width: int) -> None:
    moment = MOMENTS[name]()
    app, feed = app_for(moment)
    async with app.run_test(size=(width, 24)) as pilot:
        tell_news(feed, moment)
        await pilot.pause()
        header = app.screen.query_one(Header)
        assert "T+ 00:1" in header.lines[0].plain[-14:]
        assert header.lines[0].plain.startswith(" PRODUCTION ")
        footer = app.screen.query_one(KeyBar).render().plain
        assert footer.startswith("a " if name == "migrating" else "⏎ ")
        assert "? help" in footer
        assert "i incident" in footer


async def test_without_colours_the_signs_still_tell_the_states(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NO_COLOR", "1")
    app, _ = app_for(MOMENTS["failed-build"]())
    async with app.run_test(size=(120, 36)) as pilot:
        await pilot.pause()
        assert app.no_color
        lines = [line.plain for line in app.screen.query_one(Checklist).lines]
        assert any(line.startswith("✔ Database backup") for line in lines)
        assert any("✗ Render backend rebuilds" in line and "failed" in line for line in lines)
        assert any("▶ Render frontend rebuilds" in line for line in lines)
        colours = set(re.findall(r"fill: #([0-9a-f]{6})", app.export_screenshot()))
        assert colours
        assert all(colour[:2] == colour[2:4] == colour[4:] for colour in colours - WINDOW)


async def test_light_and_dark_are_a_key_apart() -> None:
    app, _ = app_for(MOMENTS["push"]())
    async with app.run_test(size=(120, 36)) as pilot:
        await pilot.pause()
        assert app.theme == "console-dark"
        await pilot.press("ctrl+t")
        await pilot.pause()
        assert app.theme == "console-light"
