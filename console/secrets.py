"""Secrets: read from the environment or from a file that only its owner can read, when they are needed.

A plan names where a secret comes from (`env:NAME` or `file:/path`) and never holds it. A `Secret` shows itself
nowhere: not in a repr, a format, a log record or an exception; `reveal()` is the one way to its value.
"""

import os
import stat
from collections.abc import Mapping
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import NoReturn
from urllib.parse import SplitResult, parse_qs, urlsplit

from console.domain.places import is_loopback
from console.domain.plan import Plan
from console.errors import SecretError

_LARGEST = 64 * 1024


class Secret:
    """A value that does not show itself."""

    __slots__ = ("_value", "source")

    def __init__(self, value: str, source: str) -> None:
        self._value = value
        self.source = source

    def reveal(self) -> str:
        """The value itself: for the one call that needs it."""
        return self._value

    def __repr__(self) -> str:
        return f"<secret from {self.source}>"

    __str__ = __repr__

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Secret) and other._value == self._value

    def __hash__(self) -> int:
        return hash(self.source)

    def __reduce__(self) -> NoReturn:
        raise TypeError("a secret is not written anywhere")


@dataclass(frozen=True, slots=True)
class PlanSecrets:
    """The secrets of one plan. `channels` are Apprise URLs by the channel's name."""

    token: Secret
    database_url: Secret
    scratch_url: Secret | None = None
    channels: Mapping[str, Secret] = field(default_factory=dict)
    journal_url: Secret | None = None

    def values(self) -> tuple[str, ...]:
        """Every value, for the redactor."""
        known = [
            self.token,
            self.database_url,
            *([self.scratch_url] if self.scratch_url else []),
            *([self.journal_url] if self.journal_url else []),
            *self.channels.values(),
        ]
        return tuple(secret.reveal() for secret in known)


def resolve(source: str, environ: Mapping[str, str] = os.environ) -> Secret:
    """The secret that `env:NAME` or `file:PATH` names. Raises SecretError with what to do."""
    kind, _, name = source.partition(":")
    if kind == "env":
        value = environ.get(name, "").strip()
        if not value:
            raise SecretError(f"The environment variable {name} is not set.", remedy=f"Set {name} and start again.")
        return Secret(value, name)
    if kind == "file":
        return Secret(_read(Path(name)), name)
    raise ValueError(f"{kind} is no place for a secret")


def resolve_plan(plan: Plan, environ: Mapping[str, str] = os.environ) -> PlanSecrets:
    """All secrets of a plan. Raises SecretError; also when a rehearsal's database is not this machine's."""
    scratch = plan.database.scratch_url_source
    secrets = PlanSecrets(
        token=resolve(plan.hosting.token_source, environ),
        database_url=resolve(plan.database.url_source, environ),
        scratch_url=resolve(scratch, environ) if scratch is not None else None,
        channels={channel.name: resolve(channel.url_source, environ) for channel in plan.channels},
        journal_url=journal_url(plan, environ),
    )
    _check_place(plan, secrets.database_url)
    for name, channel in secrets.channels.items():
        _check_channel(plan, name, channel)
    return secrets


def journal_url(plan: Plan, environ: Mapping[str, str] = os.environ) -> Secret | None:
    """The address of the shared record; None where nothing is shared. Raises SecretError.

    A rehearsal shares its record on this machine or not at all: the one that its plan names elsewhere is left alone.
    """
    if not plan.journal_url_source:
        return None
    if plan.environment != "rehearsal":
        return resolve(plan.journal_url_source, environ)
    try:
        url = resolve(plan.journal_url_source, environ)
    except SecretError:
        return None
    host = _only_host(url)
    return url if host and is_loopback(host) else None


def _read(path: Path) -> str:
    """A secret file's only line. Mode and owner are those of the file that is read, not of one put in its place."""
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK)
    except OSError as error:
        raise SecretError(
            f"The secret file {path} cannot be read: {error.strerror}.", remedy="Make it, with mode 0600."
        ) from None
    with ExitStack() as closing:
        closing.callback(os.close, descriptor)
        status = os.fstat(descriptor)
        if not stat.S_ISREG(status.st_mode):
            raise SecretError(f"The secret file {path} is no ordinary file.", remedy="Name a file with mode 0600.")
        if status.st_mode & 0o077:
            mode = stat.S_IMODE(status.st_mode)
            raise SecretError(
                f"The secret file {path} is open to others (mode {mode:04o}).", remedy=f"chmod 600 {path}"
            )
        if status.st_uid not in (os.geteuid(), 0):
            raise SecretError(f"The secret file {path} belongs to somebody else.", remedy="Make a file of your own.")
        content = os.read(descriptor, _LARGEST + 1)
    try:
        value = content.decode().strip() if len(content) <= _LARGEST else ""
    except UnicodeDecodeError:
        value = ""
    if not value or "\n" in value:
        raise SecretError(f"The secret file {path} does not hold one line of text.", remedy="Write the secret into it.")
    return value


def _only_host(url: Secret) -> str:
    """The one host that the address of a database leads to; empty when it is no such address, or leads to several."""
    try:
        parts = urlsplit(url.reveal())
        host = parts.hostname or ""
    except ValueError:
        return ""
    # libpq tries several hosts one after the other, and lets these parameters override the one in the address.
    elsewhere = {"host", "hostaddr", "service"} & set(parse_qs(parts.query, keep_blank_values=True))
    sound = parts.scheme in ("postgresql", "postgres") and "," not in parts.netloc and not elsewhere
    return host if sound else ""


def _check_place(plan: Plan, url: Secret) -> None:
    """A rehearsal touches no database elsewhere, and nothing else takes this machine's for production."""
    host = _only_host(url)
    if not host:
        raise SecretError(
            f"{url.source} does not hold the address of one database.",
            remedy="It looks like postgresql://user:password@host:5432/name.",
        )
    if plan.environment == "rehearsal" and not is_loopback(host):
        raise SecretError(
            f"This is a rehearsal, but {url.source} leads to {host}.", remedy="Name a database of this machine."
        )
    if plan.environment != "rehearsal" and is_loopback(host):
        raise SecretError(
            f"The environment is {plan.environment}, but {url.source} leads to this machine.",
            remedy='Name the real database, or say environment = "rehearsal".',
        )


def _check_channel(plan: Plan, name: str, url: Secret) -> None:
    """A rehearsal frightens no stakeholder: its messages stay on this machine."""
    if plan.environment != "rehearsal":
        return
    try:
        parts = urlsplit(url.reveal())
        host = parts.hostname or ""
    except ValueError:
        parts, host = SplitResult("", "", "", "", ""), ""
    # Of Apprise's schemes these two name the host that is spoken to; others put a token in its place.
    if parts.scheme not in ("json", "jsons") or not is_loopback(host):
        raise SecretError(
            f"This is a rehearsal, but the channel {name} ({url.source}) leads to people.",
            remedy="Name a channel of this machine in the rehearsal's own file, such as json://127.0.0.1:8080/, "
            "or none: channels = [].",
        )
