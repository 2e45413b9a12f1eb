"""A run watched in a real browser: it moves there, and nothing that is pressed or clicked there changes anything."""

import asyncio
import string
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from console.domain.events import Draft, Kind
from console.engine.journal import FileJournal
from tests.cli.web_serving import PATIENCE_S, Served, serving
from tests.end_to_end.browser import CHROMIUM, HEIGHT, WIDTH, Page, browsing
from tests.engine.following import CREATED, RUN, create

pytestmark = pytest.mark.skipif(CHROMIUM is None, reason="there is no Chromium here")

ALT, CTRL, SHIFT = 1, 2, 8
SPECIAL = {
    **{f"F{number}": 111 + number for number in range(1, 13)},
    "Enter": 13,
    "Escape": 27,
    "Tab": 9,
    "Backspace": 8,
    "Delete": 46,
    "Insert": 45,
    "Home": 36,
    "End": 35,
    "PageUp": 33,
    "PageDown": 34,
    "ArrowUp": 38,
    "ArrowDown": 40,
    "ArrowLeft": 37,
    "ArrowRight": 39,
}


@pytest.fixture
async def journal(tmp_path: Path) -> AsyncIterator[FileJournal]:
    """The record of a run that is driven here."""
    made = create(tmp_path / "state" / "runs")
    await made.append(CREATED, at=datetime.now(UTC), actor="ops@laptop")
    yield made
    await made.close()


@pytest.fixture
async def served(journal: FileJournal, tmp_path: Path) -> AsyncIterator[Served]:
    async with serving(tmp_path / "state", tmp_path / "home") as server:
        yield server


@pytest.fixture
async def page(tmp_path: Path) -> AsyncIterator[Page]:
    async with browsing(tmp_path / "profile") as opened:
        yield opened


def world(*folders: Path) -> dict[str, object]:
    """Every file and folder: what it is called, what is in it, when it was changed, whose it is."""
    return {str(path): _as_it_is(path) for folder in folders for path in (folder, *sorted(folder.rglob("*")))}


def _as_it_is(path: Path) -> object:
    about = path.stat()
    content = path.read_bytes() if path.is_file() else None
    return content, about.st_mtime_ns, about.st_ctime_ns, about.st_mode, about.st_uid, about.st_ino


async def press_everything(page: Page) -> None:
    """Every key there is, alone and with others; `q` alone comes last of all."""
    for sign in (string.ascii_letters + string.digits + string.punctuation + " ").replace("q", ""):
        await page.press(sign, code=ord(sign.upper()), text=sign)
        await page.press("Enter", code=13, text="\r")
        await page.press("Escape", code=27)
        if sign.islower():
            await page.press(sign, code=ord(sign.upper()), modifiers=CTRL)
            await page.press("Escape", code=27)
    for name, code in SPECIAL.items():
        for modifiers in (0, ALT, CTRL, SHIFT):
            await page.press(name, code=code, text="\r" if name == "Enter" else "", modifiers=modifiers)


async def click_everywhere(page: Page) -> None:
    """The whole page with every button, and what stands in its footer, `q quit` at its end excepted."""
    inside = [(x, y) for x in range(8, WIDTH, 210) for y in range(8, HEIGHT - 40, 120)]
    for button in ("left", "middle", "right"):
        for x, y in (*inside, *((x, HEIGHT - 10) for x in range(8, WIDTH // 3, 40))):
            await page.click(x, y, button)
            await page.press("Escape", code=27)


async def quit_view(page: Page) -> None:
    """Quit until the view is closed: its process has ended then, and whatever was pressed before was heard."""
    async with asyncio.timeout(PATIENCE_S):
        while not await page.closed():
            await page.press("Escape", code=27)
            await page.press("q", code=81, text="q")
            await page.a_moment()
    assert (await page.screen()).strip().startswith(f"Run {RUN} "), "it was quit, and did not fail"


async def append(journal: FileJournal, kind: Kind, **data: str) -> None:
    await journal.append(Draft(kind, data={**data}), at=datetime.now(UTC), actor="ops@laptop")


async def test_the_run_moves_in_the_page_and_no_key_or_click_changes_anything(
    journal: FileJournal, served: Served, page: Page, tmp_path: Path
) -> None:
    await page.go(served.address)
    await page.see("WATCHING", "A small release")
    await append(journal, Kind.ALERT_RAISED, id="a", severity="warning", message="The disk is nearly full")
    await page.see("warnings (1)")
    folders = (tmp_path / "state", tmp_path / "home")
    before = world(*folders)
    await press_everything(page)
    await click_everywhere(page)
    await quit_view(page)
    assert world(*folders) == before
    await page.again()
    await page.see("WATCHING", "warnings (1)")
    await append(journal, Kind.RUN_FINISHED, outcome="failed", reason="The disk is full")
    await page.see("The disk is full")
    assert not page.thrown
    elsewhere = [asked for asked in page.asked_for if served.token not in asked]
    assert not elsewhere


async def test_a_run_that_cannot_be_read_says_why_and_without_the_address_there_is_nothing(
    served: Served, page: Page, tmp_path: Path
) -> None:
    (tmp_path / "state" / "runs" / RUN / "plan.json").unlink()
    await page.go(served.address)
    await page.see("cannot be read", "next")
    await page.end()
    await page.go(f"{served.origin}/")
    assert await page.value("document.body.textContent") == "Nothing here.\n"
