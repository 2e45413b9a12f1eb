"""Watching beside a run may have a defect: the run goes on, and nobody believes that somebody still looks."""

import asyncio
from pathlib import Path

from console.cli.session import _watch
from tests.engine.driving import ASKING, driving


async def broken() -> None:
    async with asyncio.TaskGroup() as group:
        group.create_task(_raises())


async def _raises() -> None:
    raise KeyError("instance")


async def test_a_defect_raises_an_alert_and_the_next_console_clears_it(tmp_path: Path) -> None:
    async with driving(ASKING, tmp_path) as run:
        await _watch("the services' logs", broken, run.conductor)
        alert = run.feed.state.alerts["watch:the services' logs"]
        assert "Nobody watches the services' logs any more" in alert.message
        assert "KeyError: 'instance'" in alert.message
        assert not alert.cleared
        await _watch("the services' logs", _ends, run.conductor)
        assert run.feed.state.alerts["watch:the services' logs"].cleared


async def test_a_run_that_is_let_go_of_needs_no_alert(tmp_path: Path) -> None:
    async with driving(ASKING, tmp_path) as run:
        pass
    await _watch("production", broken, run.conductor)
    assert run.feed.state.alerts == {}


async def _ends() -> None:
    return None
