"""Names in the store: its roles, and what a session that watches calls itself.

A session's name may have 63 characters of ASCII; every role sees it, and nobody vouches for it.
"""

DRIVER_ROLE = "release_console_driver"
OBSERVER_ROLE = "release_console_observer"
SIGNER_ROLE = "release_console_signer"

_LONGEST = 63


def watching(run: str, person: str = "") -> str:
    """What the session of somebody who watches a run is called; without a person, what all of them begin with."""
    name = f"rc/watch/{run}/{person}"
    return "".join(sign if sign.isascii() and sign.isprintable() else "?" for sign in name)[:_LONGEST]


def person_of(application: str, run: str) -> str:
    """Who watches, as their session's name says; empty when the name was too long for it."""
    return application.removeprefix(watching(run))
