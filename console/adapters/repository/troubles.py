"""What git's complaints mean and what to do about them. No message holds a password from a URL."""

import re

from console.errors import RepositoryError

_PASSWORD = re.compile(r"(?<=://)[^/@\s]+(?=@)")
_CONTROL = re.compile(r"[^\x20-\x7e\u00a0-\uffff\n]")

_MEANINGS = (
    (
        r"Authentication failed|could not read (Username|Password)|terminal prompts disabled"
        r"|Permission denied \(|HTTP Basic: Access denied|The requested URL returned error: 40[13]",
        "The repository's host refuses us",
        "Give the console a way in: an ssh key without a passphrase or in an agent, or a credential helper.",
    ),
    (
        r"Host key verification failed",
        "The repository's host is not known here",
        "Connect to it once with ssh by hand, and compare its fingerprint.",
    ),
    (
        r"Could not resolve host|Could not resolve hostname|Connection refused|Connection timed out"
        r"|Network is unreachable|Failed to connect|Operation too slow|Connection reset",
        "The repository's host cannot be reached",
        "Check the network and the repository's address in the plan.",
    ),
    (
        r"[Rr]epository .*not found|does not appear to be a git repository|returned error: 404|does not exist",
        "There is no repository at the address in the plan, or it is not ours to see",
        "Check [release] repository in the plan.",
    ),
    (
        r"dubious ownership",
        "The repository belongs to another user of this machine",
        "Run the console as its owner, or reach it over ssh or https.",
    ),
    (
        r"shallow",
        "The repository holds a shallow history",
        "Complete it where it lies: git fetch --unshallow.",
    ),
    (
        r"No space left on device|Disk quota exceeded|unable to write",
        "The disk is full",
        "Make room where the console keeps its clone, then try again.",
    ),
    (
        r"transport '[^']*' not allowed",
        "The repository's address uses a protocol that is not allowed",
        "Use https, ssh, git or a file path.",
    ),
    (
        r"bad object|object file .* is empty|loose object .* is corrupt|unable to read tree|not a git repository",
        "The console's clone is damaged",
        "Remove the clone's folder; it is made again on the next try.",
    ),
    (
        r"unrelated histories",
        "The branches have no history in common",
        "Check the branches in the plan.",
    ),
)


def trouble(command: str, status: int, stderr: str) -> RepositoryError:
    """The error for a git command that ended with `status` and these words."""
    said = clean(stderr)
    for pattern, meaning, remedy in _MEANINGS:
        if re.search(pattern, stderr):
            return RepositoryError(f"{meaning} (git {command}: {said}).", remedy=remedy)
    return RepositoryError(
        f"git {command} failed with status {status}: {said or 'it said nothing'}.",
        remedy="Look at git's words; when the clone is at fault, remove its folder: it is made again.",
    )


def clean(stderr: str) -> str:
    """git's own words on one line, bounded, without passwords and control characters."""
    lines = [line.strip() for line in _CONTROL.sub("", without_password(stderr)).splitlines()]
    telling = [line for line in lines if line and not line.startswith("hint:")]
    return " · ".join(telling)[:400].rstrip(".")


def without_password(text: str) -> str:
    """A text in which URLs have lost their user and password."""
    return _PASSWORD.sub("***", text)
