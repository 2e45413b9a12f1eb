"""Writes the screens at every moment, size and theme as SVG: `python -m tests.screens.gallery OUTDIR [NAME…]`."""

import asyncio
import os
import sys
import time
from pathlib import Path

from tests.screens.driving import until
from tests.screens.fakes import app_for, tell_news
from tests.screens.incidents import INCIDENTS
from tests.screens.moments import MOMENTS
from tests.screens.pasts import PASTS, is_there

ALL = {**MOMENTS, **INCIDENTS, **PASTS}
SIZES = ((80, 24), (120, 36), (200, 60))


async def picture(name: str, size: tuple[int, int], *, light: bool) -> str:
    """One moment as SVG."""
    moment = ALL[name]()
    app, feed = app_for(moment, light=light)
    async with app.run_test(size=size) as pilot:
        tell_news(feed, moment)
        await pilot.pause(0.1)
        for key in moment.keys:
            await pilot.press(key)
            await pilot.pause()
            if moment.events:
                await until(pilot, lambda: is_there(app), "the past is there")
        await pilot.pause(0.1)
        return app.export_screenshot(title="release-console")


async def main(directory: Path, names: list[str]) -> None:
    """Every picture that was asked for."""
    directory.mkdir(parents=True, exist_ok=True)
    for name in names or list(ALL):
        for light in (False, True):
            for width, height in SIZES:
                target = directory / f"{name}-{width}x{height}-{'light' if light else 'dark'}.svg"
                target.write_text(await picture(name, (width, height), light=light))


if __name__ == "__main__":
    if len(sys.argv) < 2:
        sys.exit("usage: python -m tests.screens.gallery OUTDIR [NAME…]")
    os.environ["TZ"] = "UTC"
    time.tzset()
    asyncio.run(main(Path(sys.argv[1]), sys.argv[2:]))
