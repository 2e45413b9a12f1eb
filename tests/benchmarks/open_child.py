"""Takes a run up as driving does, as far as its record: `python -m tests.benchmarks.open_child CONFIG STATE`.

What would connect it to the world comes behind the first frame of the run, and is left out. Ends when it is killed.
"""

import asyncio
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from console.cli.session import Front, Session


@asynccontextmanager
async def opening(front: "Front") -> "AsyncIterator[Session]":
    """Find the open run of the plan, open its record, show it."""
    from console.cli.production import load_plan, open_run_of
    from console.cli.session import recorded

    plan = await asyncio.to_thread(load_plan, Path(sys.argv[1]))
    folder, remarks = await asyncio.to_thread(open_run_of, plan, Path(sys.argv[2]) / "runs")
    if folder is None:
        raise RuntimeError("there is no open run")
    async with recorded(folder, None, remarks) as run:
        front.show(run)
        await asyncio.Event().wait()
        raise RuntimeError("it is never driven")
        yield


def main() -> None:
    """Open it on the screens."""
    from console.cli.by_hand import steer
    from screens.opening import Glimpse

    asyncio.run(steer(Glimpse("Opening"), lambda: opening))


if __name__ == "__main__":
    main()
