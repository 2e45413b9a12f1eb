"""Driving the plan of a configuration file: the provider, the repository and the database that it names."""

import json
import sys
import tempfile
from pathlib import Path

from console.cli.exits import Exit
from console.cli.folders import fresh_run_id, state_directory
from console.cli.session import opened
from console.cli.wiring import wired
from console.domain.findings import Finding, go
from console.domain.fold import fold
from console.domain.plan import Plan
from console.domain.state import RunStatus
from console.domain.wire import decode_plan, encode
from console.engine.clock import WallClock
from console.engine.journal import JOURNAL_FILE, read
from console.errors import ConfigError, Refused


async def drive_production(config: Path) -> Exit:
    """Open the plan's run (the one that is open, else a new one) and steer it by hand."""
    from console.cli.by_hand import steer

    if not sys.stdin.isatty() or not sys.stdout.isatty():
        raise Refused(
            "A deployment is driven by a person, in a terminal, and there is none here.",
            production="Untouched.",
            remedy="Start it in a terminal; `release-console rehearse --auto` rehearses the plan without one.",
        )
    plan = load_plan(config)
    runs = state_directory(config, None) / "runs"
    folder = _open_run_of(plan, runs)
    started = folder or runs / fresh_run_id()
    async with opened(
        started, None if folder else plan, pace=1.0, rehearsal=plan.environment == "rehearsal"
    ) as session:
        return await steer(session)


async def preflight_only(config: Path, *, as_json: bool) -> Exit:
    """Print the findings; 1 when one of them is a blocker."""
    from console.preflight import run
    from console.report.findings_text import findings_text

    plan = load_plan(config)
    with tempfile.TemporaryDirectory(prefix="release-console-") as cache:
        async with wired(plan, cache=Path(cache), clock=WallClock()) as world:
            found = await run(plan, world.ports)
    print("\n".join(_compact(each) for each in found) if as_json else findings_text(found))
    return Exit.DONE if go(found) else Exit.FAILED


def load_plan(config: Path) -> Plan:
    """The plan in a file. Raises ConfigError."""
    from console.actions.catalogue import CATALOGUE
    from console.config import load

    if not config.is_file():
        raise ConfigError(
            [f"There is no plan at {config}."], remedy="Run it where config.toml is, or name one with --config FILE."
        )
    return load(config, CATALOGUE)


def _open_run_of(plan: Plan, runs: Path) -> Path | None:
    """The newest run of this plan that is not finished."""
    for journal in sorted(runs.glob(f"*/{JOURNAL_FILE}"), reverse=True):
        record = read(journal.parent)
        frozen = decode_plan(record.plan_json)
        if frozen.name == plan.name and fold(frozen, record.events).status is not RunStatus.FINISHED:
            return journal.parent
    return None


def _compact(finding: Finding) -> str:
    return json.dumps(encode(finding, sparse=False), ensure_ascii=False, separators=(",", ":"))
