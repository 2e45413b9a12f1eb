"""Which shared record is meant, and opening it for reading; nothing of it is loaded where none is meant."""

import asyncio
from dataclasses import dataclass, field
from pathlib import Path

from console.cli.plan_file import shared_journal
from console.errors import ConfigError
from console.ports import ObserverStore

TLS = ("verify-full", "verify-ca", "require", "disable")
"""How the line to the shared record may be protected, the strongest first."""


@dataclass(frozen=True, slots=True)
class SharedPlace:
    """Where the address of a shared record comes from (`env:NAME` or `file:/path`), and how the line is protected."""

    source: str
    tls: str = TLS[0]
    named: bool = field(default=False, compare=False)
    """Whether it was asked for by name, and is not merely what the plan says."""

    def arguments(self) -> tuple[str, ...]:
        """The options of `watch` that mean this place."""
        return ("--journal", self.source, "--journal-tls", self.tls)


def shared_place(config: Path, journal: str | None, tls: str | None) -> SharedPlace | None:
    """The place that `--journal` names, else the one of the plan's `[journal]`; None where there is neither.

    Raises ConfigError; what was given in the place of a source may be a secret, and is not repeated.
    """
    if journal is None:
        if tls is not None:
            problem = "--journal-tls belongs to --journal; a plan says it with `[journal] tls`."
            raise ConfigError(
                [problem], remedy="Name the shared record with --journal env:NAME or --journal file:PATH."
            )
        named = shared_journal(config)
        return SharedPlace(*named) if named is not None else None
    kind, _, name = journal.partition(":")
    if kind not in ("env", "file") or not name:
        raise ConfigError(
            ["--journal names where the address of the shared record is found, and does not hold it."],
            remedy="Put the address into a variable or into a file of mode 0600, and give env:NAME or file:PATH.",
        )
    source = f"file:{Path(name).expanduser().absolute()}" if kind == "file" else journal
    return SharedPlace(source, tls or TLS[0], named=True)


async def observer_store(place: SharedPlace) -> ObserverStore:
    """The shared record, to be read; it is reached with the first call. Raises SecretError, ConfigError."""
    return await asyncio.to_thread(_observer, place)


def _observer(place: SharedPlace) -> ObserverStore:
    from console.adapters.journal.observer import PostgresObserverStore
    from console.cli.account import actor
    from console.secrets import resolve

    return PostgresObserverStore(resolve(place.source), tls=place.tls, person=actor())
