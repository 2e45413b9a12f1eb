"""The two commands that end in front of a person or a machine: what must be so at once, then the way to either.

Light on purpose: the first frame waits for what is imported here, and for nothing else.
"""

import sys
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

from console.cli.exits import Exit
from console.cli.plan_file import must_exist
from console.errors import Refused


@dataclass(frozen=True, slots=True)
class Options:
    """What `rehearse` was asked for on the command line."""

    config: Path
    auto: bool
    json: bool
    faults: tuple[str, ...]
    pace: float
    accounts: int
    resume: bool
    directory: Path | None
    terminal: bool = True
    """Whether a person sits at it, or asked for `--auto`: nothing begins where neither is so and a run was to be
    gone on with."""
    way_back: str | None = None
    """The way back that is gone at a failure (`recommended`, or one by name); None: the run stops there."""
    shared: bool = False
    """Whether the world has a server for a shared record, in which the rehearsal is recorded too."""


async def drive_production(config: Path) -> Exit:
    """Open the plan's run (the one that is open, else a new one) and steer it by hand."""
    from console.cli.by_hand import Opening, steer
    from console.cli.plan_file import glimpse

    must_exist(config)
    if not sys.stdin.isatty() or not sys.stdout.isatty():
        raise Refused(
            "A deployment is driven by a person, in a terminal, and there is none here.",
            production="Untouched.",
            remedy="Start it in a terminal; `release-console rehearse --auto` rehearses the plan without one.",
        )

    def load() -> Opening:
        from console.cli.production import opened

        return partial(opened, config)

    code = await steer(glimpse(config), load)
    return Exit.DONE if code is None else code


async def rehearse_plan(options: Options) -> Exit:
    """Bring a world up (or find the last open one), drive the plan in it, and end it when the run is finished."""
    from console.sandbox.faults import KINDS, parse_fault

    if "list" in options.faults:
        print("\n".join(f"{kind.name:<22}{kind.description}" for kind in KINDS))
        return Exit.DONE
    for fault in options.faults:
        parse_fault(fault)
    if options.auto:
        from console.cli.rehearsal import rehearse_unattended

        return await rehearse_unattended(options)
    return await _rehearse_by_hand(options)


async def _rehearse_by_hand(options: Options) -> Exit:
    from console.cli.by_hand import Opening, steer
    from console.cli.plan_file import glimpse

    must_exist(options.config)

    def load() -> Opening:
        from console.cli.rehearsal import opened_by_hand

        return partial(opened_by_hand, options)

    # The hosts that the file names are not touched: a rehearsal stays on this machine.
    seen = replace(glimpse(options.config), environment="rehearsal", hosts=("127.0.0.1",))
    code = await steer(seen, load)
    return Exit.OPEN if code is None else code
