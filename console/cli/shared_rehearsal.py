"""The shared record of a rehearsal: its store set up in the world's own server, with a login for everybody in it."""

import asyncio
import secrets
import shlex
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import quote, urlsplit

from console.cli.sandbox import WORLD
from console.cli.session import Front
from console.cli.shared import SharedPlace
from console.cli.shared_run import Shared
from console.domain.plan import Plan

DRIVER, OBSERVER = "release_manager", "observer"
"""The logins of a rehearsal's store; beside them there is one for each that the plan names for a signature."""


def address_of(world: Path, login: str) -> Path:
    """The file (mode 0600) that holds the address with which somebody reaches the store of a world."""
    from console.sandbox.journal_server import DRIVER_URL

    return world / (DRIVER_URL if login == DRIVER else f"journal-url-{login}")


def addresses(world: Path) -> dict[str, Path]:
    """The files with the addresses of everybody who has a login in the store of a world."""
    from console.sandbox.journal_server import DRIVER_URL

    logins = (file.name.removeprefix(f"{DRIVER_URL}-") for file in sorted(world.glob(f"{DRIVER_URL}-*")))
    return {login: address_of(world, login) for login in (DRIVER, *logins)}


def watch_command(folder: Path) -> str:
    """What watches the rehearsal in `folder` from another terminal, by its shared record alone."""
    address = shlex.quote(str(address_of(folder / WORLD, OBSERVER)))
    return f"release-console watch {folder.name} --journal file:{address} --journal-tls disable"


async def set_up(world: Path, plan: Plan) -> None:
    """Set the store of a new world up. Raises JournalError, StoreLost, DatabaseError."""
    from console.adapters.database.database import PostgresDatabase
    from console.adapters.journal.schema import install, statements_for
    from console.engine.clock import WallClock
    from console.sandbox.journal_server import ADMIN_URL
    from console.sandbox.private_files import write_private
    from console.secrets import resolve

    admin = await asyncio.to_thread(resolve, f"file:{world / ADMIN_URL}")
    await install(admin, tls="disable")
    place = urlsplit(admin.reveal())
    members = tuple(_members(plan))
    async with PostgresDatabase(admin, WallClock(), tls="disable").session("release-console") as session:
        for _, login in members:
            # Only letters, digits, - and _: it needs no quoting, neither here nor in the address.
            password = secrets.token_urlsafe(18)
            await session.execute(f"CREATE ROLE {_quoted(login)} LOGIN PASSWORD '{password}'")
            url = f"postgresql://{quote(login, safe='')}:{password}@127.0.0.1:{place.port}{place.path}"
            await asyncio.to_thread(write_private, address_of(world, login), url + "\n")
        for statement in statements_for(members):
            await session.execute(statement)


def shared_in(folder: Path, front: Front) -> Shared:
    """The store of the rehearsal in `folder`, for its driver. Raises SecretError."""
    from console.adapters.journal.driver import PostgresDriverStore
    from console.secrets import resolve

    place = SharedPlace(f"file:{address_of(folder / WORLD, DRIVER)}", "disable")
    return Shared(PostgresDriverStore(resolve(place.source), tls=place.tls), place, front.ask)


def _members(plan: Plan) -> Iterator[tuple[str, str]]:
    yield "release_console_driver", DRIVER
    yield "release_console_observer", OBSERVER
    for login in dict.fromkeys(each.login for each in plan.signoffs if each.login):
        yield "release_console_signer", login


def _quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'
