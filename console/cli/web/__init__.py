"""Watching in the browser: textual-serve's page on loopback, behind an address that nobody guesses.

What always holds: a browser sees a `release-console watch` of its own and can send it keys, clicks and its size, as
a terminal does; nothing else passes in either direction. `viewer` is that process, `gate` decides who may ask,
`server` answers, `serving` begins and ends it all.
"""

import os

DRIVER = "screens.served:ServedDriver"
"""The Textual driver that draws a viewer's screens into a browser."""


def is_viewer() -> bool:
    """Whether this process was started to be shown in a browser: its screens need no terminal."""
    return os.environ.get("TEXTUAL_DRIVER") == DRIVER
