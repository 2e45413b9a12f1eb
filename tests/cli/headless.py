"""The screens without a terminal: what they would do there, in the test's own process."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pytest

from screens.app import ConsoleApp


@contextmanager
def no_terminal(
    monkeypatch: pytest.MonkeyPatch, *, pilot: Callable[[ConsoleApp], None] | None = None
) -> Iterator[None]:
    """Run the application headless meanwhile; `pilot` is called with it just before it runs."""
    run = ConsoleApp.run_async

    async def headless(self: ConsoleApp) -> None:
        if pilot is not None:
            pilot(self)
        await run(self, headless=True, size=(120, 36))

    with monkeypatch.context() as patched:
        patched.setattr(ConsoleApp, "run_async", headless)
        yield
