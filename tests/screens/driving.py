"""Driving the application in tests: keys that wait until the screen is ready for them."""

from collections.abc import Callable

from textual.pilot import Pilot

from screens.dialogs.base import Dialog

PATIENCE = 500


async def until(pilot: Pilot[None], condition: Callable[[], bool], what: str) -> None:
    """Let the application go on until the condition holds. Fails when it never does."""
    for _ in range(PATIENCE):
        if condition():
            return
        await pilot.pause()
    raise AssertionError(f"never happened: {what}")


async def ready(pilot: Pilot[None]) -> None:
    """Let everything that was asked for happen, and the screen on top be there."""
    await pilot.pause()
    await until(pilot, lambda: pilot.app.screen.is_mounted, "the screen is mounted")
    await pilot.pause()


async def press(pilot: Pilot[None], *keys: str) -> None:
    """Press keys one by one, each when the screen on top is ready for it."""
    await ready(pilot)
    for key in keys:
        await pilot.press(key)
        await ready(pilot)


async def typed(pilot: Pilot[None], text: str) -> None:
    """Type a text into what has the focus."""
    await ready(pilot)
    await pilot.press(*("space" if character == " " else character for character in text))
    await ready(pilot)


def listens(pilot: Pilot[None]) -> bool:
    """Whether a dialog is on top and takes keys."""
    screen = pilot.app.screen
    return isinstance(screen, Dialog) and screen.settled
