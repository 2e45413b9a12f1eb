"""A few pictures that must not change unnoticed. `pytest tests/screens --snapshot-update` accepts new ones."""

from collections.abc import Callable

import pytest
from textual.pilot import Pilot

from tests.screens.driving import until
from tests.screens.fakes import app_for, tell_news
from tests.screens.incidents import INCIDENTS
from tests.screens.moments import MOMENTS
from tests.screens.pasts import PASTS, is_there

PICTURES = [
    ("migrating", (120, 36), False),
    ("failed-build", (120, 36), True),
    ("migrating", (80, 24), False),
    ("confirm-push", (120, 36), False),
    ("signoff", (120, 36), True),
    ("start", (200, 60), False),
    ("incident-assessed", (120, 36), False),
    ("incident-assessed", (80, 24), False),
    ("rollback-dear", (120, 36), False),
    ("rollback-running", (120, 36), True),
    ("rolled-back", (120, 36), False),
    ("past", (120, 36), False),
    ("past-incident", (80, 24), True),
]


@pytest.mark.parametrize(("name", "size", "light"), PICTURES)
def test_picture(name: str, size: tuple[int, int], light: bool, snap_compare: Callable[..., bool]) -> None:
    moment = {**MOMENTS, **INCIDENTS, **PASTS}[name]()
    app, feed = app_for(moment, light=light)

    async def to_the_moment(pilot: Pilot[None]) -> None:
        await pilot.pause()
        tell_news(feed, moment)
        app.frame()
        await pilot.pause()
        for key in moment.keys:
            await pilot.press(key)
            await pilot.pause()
            if moment.events:
                await until(pilot, lambda: is_there(app), "the past is there")
        for animated in app.screen.query("Input"):
            animated.cursor_blink = False  # type: ignore[attr-defined]
        await pilot.pause()

    assert snap_compare(app, terminal_size=size, run_before=to_the_moment)
