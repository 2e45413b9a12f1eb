"""Reading a record without looking for garbage among what is read.

What always holds: garbage is collected again afterwards, if it was before. Events hold no cycles, and nothing of a
record is garbage while it is read: to look for some, again and again, takes a third of the time of reading it.
"""

import gc
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def uncollected() -> Iterator[None]:
    """Collect no garbage meanwhile, in the whole process."""
    collecting = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if collecting:
            gc.enable()
