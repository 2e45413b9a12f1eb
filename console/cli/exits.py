"""How the command line ends: exit codes, and an error as a person reads it."""

import errno
import json
import sys
from enum import IntEnum
from typing import NoReturn

from console.domain.untrusted import one_line, safe
from console.errors import ConfigError, ConsoleError, SecretError


class Exit(IntEnum):
    """The exit codes (design section 9)."""

    DONE = 0
    FAILED = 1
    USAGE = 2
    OPEN = 3
    ROLLED_BACK = 4


ENDINGS = {"completed": Exit.DONE, "failed": Exit.FAILED, "abandoned": Exit.FAILED, "rolled_back": Exit.ROLLED_BACK}
"""What a run was closed as, and the exit code that tells it."""


def describe(error: ConsoleError) -> str:
    """What failed, what state production is in, what to do next: a line each, those that are known."""
    return told(error.message, error.production, error.remedy)


def told(message: str, production: str, remedy: str) -> str:
    """The three answers that every error gives, as lines for a terminal; a message may have several."""
    parts = (
        f"✗ {message}",
        f"  production  {production}" if production else "",
        f"  next        {remedy}" if remedy else "",
    )
    return "\n".join(safe(line) for part in parts if part for line in part.splitlines())


def json_line(data: object) -> str:
    """One line for machines: ASCII alone, so that nothing in it is obeyed by a terminal on the way."""
    return json.dumps(data, ensure_ascii=True, separators=(",", ":"))


def remark(text: str) -> None:
    """Say a sentence on standard error, beside what is printed."""
    print(one_line(text), file=sys.stderr, flush=True)


def code_of(error: ConsoleError) -> Exit:
    """2 for what is wrong with the configuration or its secrets, 1 for everything else."""
    return Exit.USAGE if isinstance(error, ConfigError | SecretError) else Exit.FAILED


def fail(error: ConsoleError) -> NoReturn:
    """Print the error to standard error and leave."""
    print(describe(error), file=sys.stderr)
    raise SystemExit(code_of(error))


def defect(error: Exception) -> ConsoleError:
    """A mistake of the console's own, with where it was made and without the secrets that it may have met."""
    from console.redact import Redactor

    return ConsoleError(
        f"The console ended with a defect of its own.\n{Redactor().exception(error).rstrip()}",
        production="Nothing more is begun here; `release-console report` says what was done before.",
        remedy="Start it again: a run that was open is gone on with where its record ends. Report the lines above.",
    )


def from_os(error: OSError, doing: str) -> ConsoleError:
    """An operating-system error while `doing` something with files, in the console's own words."""
    where = f" ({error.filename})" if error.filename else ""
    remedy = {
        errno.ENOSPC: "Free some space and start again: what was recorded is on the disk.",
        errno.EACCES: "Check who owns the folder and its mode.",
        errno.EROFS: "Point [journal] directory to a place that can be written.",
    }.get(error.errno or 0, "")
    return ConsoleError(
        f"{doing}: {error.strerror or error}{where}.",
        production="Nothing more is begun here; `release-console report` says what was done before.",
        remedy=remedy,
    )
