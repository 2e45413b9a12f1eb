"""The shared record by hand: `journal init` sets it up and says who is to be let in, for an administrator of its store;
`journal send` sends what a run that was left still has here for it."""

import asyncio
import importlib
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from console.cli.account import actor
from console.cli.exits import Exit
from console.cli.folders import find_run, state_directory
from console.cli.production import load_plan
from console.cli.shared_run import ON_SAME_SERVER, nobody_to_ask, same_database, shared_by
from console.domain.plan import Plan
from console.domain.untrusted import safe
from console.domain.wire import decode_plan
from console.engine.driver import Driver
from console.engine.journal import read_plan
from console.engine.shared_opening import open_shared
from console.errors import ConfigError, DatabaseError, SecretError

if TYPE_CHECKING:
    from console.adapters.journal.schema import Installed
    from console.secrets import Secret


async def init(config: Path) -> Exit:
    """Set up the shared record that the plan names. Raises ConfigError, SecretError, StoreLost, JournalError."""
    plan = await asyncio.to_thread(load_plan, config)
    if not plan.journal_url_source:
        raise ConfigError(
            [f"{config} names no shared record."],
            remedy='Name where its address is found: `[journal] url_env = "RELEASE_JOURNAL_URL"`, or `url_file`.',
        )
    await asyncio.to_thread(importlib.import_module, "console.adapters.journal.schema")

    from console.adapters.journal.schema import install
    from console.secrets import resolve

    url = await asyncio.to_thread(resolve, plan.journal_url_source)
    warning = await _place(plan, url)
    installed = await install(url, tls=plan.journal_tls)
    print("\n".join(safe(line) for line in _told(plan, installed, warning)))
    return Exit.DONE


async def send(config: Path, directory: Path | None, name: str) -> Exit:
    """Send what a run of this machine has for the shared record; 1 when that is not reached.

    Nothing is driven. Where somebody else has taken the run over, it is kept beside the record as a branch. Raises
    JournalError, DrivenElsewhere, ConfigError, SecretError.
    """
    folder = await asyncio.to_thread(find_run, state_directory(config, directory), name)
    plan = await asyncio.to_thread(lambda: decode_plan(read_plan(folder)))
    shared = await asyncio.to_thread(shared_by, plan, nobody_to_ask)
    if shared is None:
        raise ConfigError([f"The run {folder.name} is not shared."], remedy="Its record is complete where it is.")
    try:
        journal = await open_shared(folder, shared.store, Driver.here(actor()))
        status = journal.status
        await journal.close()
    finally:
        await shared.store.close()
    if status.connected:
        print(f"✔ The shared record has all {len(journal.events())} events of {folder.name}.")
        return Exit.DONE
    print(safe(f"✗ {status.unsent} events of {folder.name} still wait here: {status.reason}"))
    return Exit.FAILED


async def _place(plan: Plan, url: "Secret") -> str:
    """A warning about where the store lies, if any. Raises ConfigError when it is the database to be migrated."""
    from console.adapters.journal.place import same_place
    from console.secrets import resolve

    try:
        database = await asyncio.to_thread(resolve, plan.database.url_source)
        place = await same_place((url, plan.journal_tls), (database, plan.database.tls))
    except (SecretError, DatabaseError) as error:
        return (
            "Whether the shared record lies apart from the database to be migrated was not seen "
            f"({error.message.rstrip('.')}). It is looked at again when a run is opened."
        )
    if place == "database":
        raise same_database()
    return ON_SAME_SERVER if place == "server" else ""


def _told(plan: Plan, installed: "Installed", warning: str) -> Iterator[str]:
    """What was done, and the statements that an administrator runs for each person."""
    from console.adapters.journal.schema import statements_for

    done = "is up to date" if installed.before == installed.version else "is set up"
    yield f"✔ The shared record in {installed.database} {done}: schema release_console, version {installed.version}."
    if warning:
        yield f"! {warning}"
    yield "Everybody has a login of their own (CREATE ROLE … LOGIN). An administrator of the store lets them in:"
    yield "  GRANT release_console_driver TO <login>;  -- drives"
    yield "  GRANT release_console_observer TO <login>;  -- watches"
    signers = [each for each in plan.signoffs if each.login]
    for each in signers:
        (statement,) = statements_for((("release_console_signer", each.login),))
        yield f"  {statement}  -- signs as {each.title}"
    if not signers:
        yield "  GRANT release_console_signer TO <login>;  -- signs; the plan's [[signoffs]] name the login"
    if not installed.may_end_sessions:
        (statement,) = statements_for((("pg_signal_backend", installed.login),))
        yield "So that a take-over also ends the former driver's session (nothing of theirs is accepted either way):"
        yield f"  {statement}"
