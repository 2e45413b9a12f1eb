"""The exceptions of the console. Each knows what failed, what state production is in and what to do next.

ConsoleError
├── ConfigError            the plan or its surroundings cannot be used; names file, line and key
├── SecretError            a secret is missing or its file is open to others
├── Refused                an intent that the state does not allow
├── JournalError           the record cannot be read or written
│   ├── JournalLocked      somebody else drives this run
│   │   └── DrivenElsewhere    on another machine; it can be taken over
│   ├── JournalBroken      the chain of lines does not hold
│   ├── StoreLost          the shared record cannot be reached, or did not answer in time
│   └── TakenOver          another driver took the run over
├── StepFailed             an action did not reach its goal
│   ├── WorldChanged       the facts of a confirmation no longer hold
│   ├── VerificationFailed the work was done and the result differs
│   ├── Stopped            an abort was honoured at a safe point
│   └── OutcomeUnknown     the request may or may not have been carried out
├── ServiceError           something outside answered with an error or not at all
│   ├── HostingError       the provider's API
│   ├── RepositoryError    git
│   │   ├── MergeConflict
│   │   └── PushRejected
│   └── DatabaseError      PostgreSQL; carries the SQLSTATE
└── SandboxError           the rehearsal's world could not be built or reached
"""


class ConsoleError(Exception):
    """Base of all. `message` says what failed, `production` what state it is in, `remedy` what to do next."""

    def __init__(self, message: str, *, production: str = "", remedy: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.production = production
        self.remedy = remedy


class ConfigError(ConsoleError):
    """The configuration cannot be used. `problems` are complete sentences that name file, line and key."""

    def __init__(self, problems: list[str], *, remedy: str = "") -> None:
        super().__init__("\n".join(problems), production="Nothing was started.", remedy=remedy)
        self.problems = problems


class SecretError(ConsoleError):
    """A secret is missing, or its file can be read by others."""


class Refused(ConsoleError):
    """The run's state does not allow this intent."""


class JournalError(ConsoleError):
    """The record cannot be read or written."""


class JournalLocked(JournalError):
    """Another driver holds the journal; the message names who, from where and since when."""


class DrivenElsewhere(JournalLocked):
    """Somebody on another machine drives the run, or drove it and did not leave it: it can be taken over.

    `epoch` is theirs, `driver` who they are (`user@host`), `held` whether their session is alive.
    """

    def __init__(
        self,
        message: str,
        *,
        run: str,
        epoch: int,
        driver: str,
        held: bool,
        production: str = "",
        remedy: str = "",
    ) -> None:
        super().__init__(message, production=production, remedy=remedy)
        self.run = run
        self.epoch = epoch
        self.driver = driver
        self.held = held


class JournalBroken(JournalError):
    """A line of the journal does not follow from the one before; `line` counts from 1."""

    def __init__(self, message: str, *, line: int, production: str = "", remedy: str = "") -> None:
        super().__init__(message, production=production, remedy=remedy)
        self.line = line


class StoreLost(JournalError):
    """The shared record cannot be reached, or did not answer in time: what was asked of it may or may not be done."""


class TakenOver(JournalError):
    """Another driver took the run over: the epoch that was named is not the record's any more.

    `epoch` is the record's now, `driver` who drives in it (`user@host`); 0 and empty when that cannot be said.
    """

    def __init__(
        self, message: str, *, epoch: int = 0, driver: str = "", production: str = "", remedy: str = ""
    ) -> None:
        super().__init__(message, production=production, remedy=remedy)
        self.epoch = epoch
        self.driver = driver


class StepFailed(ConsoleError):
    """An action did not reach its goal. `lines` are details for the screen, `data` for the record.

    `retry`: trying the step again is enough, nothing before it has to be done anew.
    """

    def __init__(
        self,
        message: str,
        *,
        production: str = "",
        remedy: str = "",
        lines: tuple[str, ...] = (),
        data: dict[str, object] | None = None,
        retry: bool = False,
    ) -> None:
        super().__init__(message, production=production, remedy=remedy)
        self.lines = lines
        self.data = data or {}
        self.retry = retry


class WorldChanged(StepFailed):
    """What was confirmed is no longer so; `lines` hold the difference."""


class VerificationFailed(StepFailed):
    """The work was done, and the result is not what it must be; `lines` hold the difference."""


class Stopped(StepFailed):
    """An abort was honoured at a safe point."""


class OutcomeUnknown(StepFailed):
    """A request was sent and its answer lost: it must be probed before it is sent again."""


class ServiceError(ConsoleError):
    """Something outside the process answered with an error, or not in time. `retryable`: nothing was done."""

    def __init__(self, message: str, *, production: str = "", remedy: str = "", retryable: bool = False) -> None:
        super().__init__(message, production=production, remedy=remedy)
        self.retryable = retryable


class HostingError(ServiceError):
    """The provider's API refused or did not answer; `status` is the HTTP status, None when there was none.

    `sent` is true when the request may have reached the provider.
    """

    def __init__(
        self,
        message: str,
        *,
        status: int | None = None,
        sent: bool = False,
        production: str = "",
        remedy: str = "",
        retryable: bool = False,
    ) -> None:
        super().__init__(message, production=production, remedy=remedy, retryable=retryable)
        self.status = status
        self.sent = sent


class RepositoryError(ServiceError):
    """git failed."""


class MergeConflict(RepositoryError):
    """The branches do not merge; `files` are in conflict."""

    def __init__(self, message: str, *, files: tuple[str, ...], production: str = "", remedy: str = "") -> None:
        super().__init__(message, production=production, remedy=remedy)
        self.files = files


class PushRejected(RepositoryError):
    """The remote refused the push; nothing was changed there."""


class DatabaseError(ServiceError):
    """PostgreSQL refused or could not be reached; `sqlstate` is its code, empty when there is none."""

    def __init__(
        self,
        message: str,
        *,
        sqlstate: str = "",
        production: str = "",
        remedy: str = "",
        retryable: bool = False,
    ) -> None:
        super().__init__(message, production=production, remedy=remedy, retryable=retryable)
        self.sqlstate = sqlstate


class SandboxError(ConsoleError):
    """The rehearsal's world could not be built, reached or ended."""
