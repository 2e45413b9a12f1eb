"""A record that is shared between machines: who may write it, who reads it, who signed in it.

An epoch is the time of one driver at one shared record; it only ever grows. Whoever takes a run up begins a new one,
and from then on nothing is accepted of an earlier epoch (a fencing token).
"""

from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, slots=True)
class Lease:
    """An epoch and its driver: `user@host`, the host, the process, since when (UTC).

    `held`: whether the session that holds the lease's lock is alive. Without it the driver is gone, or has lost the
    shared record and may go on elsewhere.
    """

    epoch: int
    actor: str
    host: str
    pid: int
    since: datetime
    held: bool = False


@dataclass(frozen=True, slots=True)
class SharedRun:
    """A run as the shared record has it. `last` are its last lines, oldest first, three at most; `tip` is the digest
    of the last one. `lease` is that of the epoch now; None when nobody has driven it yet.
    """

    run: str
    created_at: datetime
    events: int
    tip: str
    last: tuple[bytes, ...] = ()
    lease: Lease | None = None
    last_at: datetime | None = None
    """When the last line was taken, by the clock of the shared record."""


@dataclass(frozen=True, slots=True)
class Observer:
    """Somebody who watches: the login that the database vouches for, and the `user@host` that they say they are."""

    login: str
    person: str
    since: datetime


@dataclass(frozen=True, slots=True)
class Signature:
    """A signature that lies in the inbox: put there by `login`, for which the database vouches.

    `plan` is the digest of the plan and `commit` the hash of what is released, as the signer had them before them.
    """

    id: int
    run: str
    login: str
    role: str
    name: str
    approve: bool
    note: str
    plan: str
    commit: str
    at: datetime


@dataclass(frozen=True, slots=True)
class Answer:
    """What the driver's console made of a signature: on record, or not and why."""

    accepted: bool
    reason: str
    at: datetime


@dataclass(frozen=True, slots=True)
class Received:
    """That a signature from the inbox stands in the record: as which role, given with which login, in the line number
    `seq`. `reason` says why it was not accepted; empty when it was."""

    seq: int
    role: str = ""
    login: str = ""
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Branch:
    """Lines that a driver recorded apart from the shared record, in an epoch that had ended: kept beside it.

    `first` is the number of the first of them; each follows from the one before, the first from line `first - 1`.
    """

    epoch: int
    actor: str
    first: int
    lines: tuple[bytes, ...]
