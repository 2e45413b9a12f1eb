"""Driving the plan of a configuration file: the provider, the repository and the database that it names."""

import asyncio
import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from console.cli.exits import Exit, json_line
from console.cli.folders import fresh_run_id, must_be_enterable, state_directory
from console.cli.plan_file import must_exist
from console.cli.session import Front, Session, driven, recorded
from console.cli.shared_run import Shared, must_be_apart, open_elsewhere, shared_by
from console.domain.findings import go
from console.domain.plan import Plan
from console.domain.state import RunStatus
from console.domain.wire import WireError, decode_plan, encode, encode_plan
from console.engine.clock import WallClock
from console.engine.glance import is_closed
from console.engine.journal import read, read_plan
from console.engine.runs import replay, run_folders
from console.errors import JournalError

if TYPE_CHECKING:
    from console.secrets import PlanSecrets


@asynccontextmanager
async def opened(config: Path, front: Front) -> AsyncIterator[Session]:
    """Open the plan's run (the one that is open here or in its store, else a new one), to be steered by hand."""
    front.say(f"Reading {config}")
    plan = await asyncio.to_thread(load_plan, config)
    state = state_directory(config, None)
    must_be_enterable(plan, state)
    kept = state / "runs"
    folder, remarks = await asyncio.to_thread(open_run_of, plan, kept)
    shared, told = await _shared(await asyncio.to_thread(sharing_of, plan, folder), front)
    remarks = (*remarks, *told)
    if shared is not None:
        elsewhere = await open_elsewhere(shared.store, plan)
        # The names of runs sort by their age.
        if elsewhere is not None and (folder is None or elsewhere > folder.name):
            folder = kept / elsewhere
    if folder is None:
        # A secret that is missing is found before a run is made, whose plan would be frozen with the mistake in it.
        await asyncio.to_thread(_find_secrets, plan)
    async with recorded(folder or kept / fresh_run_id(), None if folder else plan, remarks, shared) as run:
        front.show(run)
        async with driven(run, pace=1.0, rehearsal=run.plan.environment == "rehearsal") as session:
            yield session


async def _shared(plan: Plan, front: Front) -> tuple[Shared | None, tuple[str, ...]]:
    """The store of a plan, and what is to be said of where it lies. Raises SecretError, ConfigError."""
    shared = await asyncio.to_thread(shared_by, plan, front.ask)
    if shared is None:
        alone = ("this is a rehearsal: the shared record that the plan names is left alone",)
        return None, alone if plan.journal_url_source else ()
    front.say("Reaching the shared record")
    secrets = await asyncio.to_thread(_find_secrets, plan)
    return shared, await must_be_apart(plan, secrets)


async def preflight_only(config: Path, *, as_json: bool) -> Exit:
    """Print the findings; 1 when one of them is a blocker."""
    from console.cli.account import actor, full_name
    from console.cli.go_no_go import without_secrets
    from console.cli.wiring import wired
    from console.preflight import run
    from console.report.findings_text import findings_text

    plan = load_plan(config)
    with tempfile.TemporaryDirectory(prefix="release-console-") as cache:
        async with wired(plan, cache=Path(cache), clock=WallClock()) as world:
            seen = await run(plan, world.ports, drivers=(actor(), full_name()))
            found = [without_secrets(each, world.redactor.text) for each in seen]
    print("\n".join(json_line(encode(each, sparse=False)) for each in found) if as_json else findings_text(found))
    return Exit.DONE if go(found) else Exit.FAILED


def load_plan(config: Path) -> Plan:
    """The plan in a file. Raises ConfigError."""
    from console.actions.catalogue import CATALOGUE
    from console.config import load

    must_exist(config)
    return load(config, CATALOGUE)


def open_run_of(plan: Plan, kept: Path) -> tuple[Path | None, tuple[str, ...]]:
    """The newest run of this plan that is not finished, and what is to be said about runs that cannot be read.

    A run that has not begun is gone on with only if its frozen plan is still what the file says: until then the
    file may be corrected.
    """
    unreadable: list[str] = []
    for folder in run_folders(kept):
        if is_closed(folder):
            continue
        try:
            record = read(folder)
            frozen, state = replay(record.plan_json, record.events)
        except JournalError as error:
            unreadable.append(f"the run {folder.name} is left alone, for it cannot be gone on with: {error.message}")
            continue
        same = state.status is not RunStatus.NOT_STARTED or encode_plan(frozen) == encode_plan(plan)
        if frozen.name == plan.name and same and state.status is not RunStatus.FINISHED:
            return folder, tuple(unreadable)
    return None, tuple(unreadable)


def sharing_of(plan: Plan, folder: Path | None) -> Plan:
    """The plan that says where the record is shared: a run that began shared stays so, whatever the file says by now.

    Without its store nothing would keep it from being driven from two machines at once. Raises JournalError.
    """
    if folder is None:
        return plan
    try:
        frozen = decode_plan(read_plan(folder))
    except WireError as error:
        raise JournalError(f"The frozen plan of {folder.name} cannot be read: {error}.") from error
    return frozen if frozen.journal_url_source else plan


def _find_secrets(plan: Plan) -> "PlanSecrets":
    from console.secrets import resolve_plan

    return resolve_plan(plan)
