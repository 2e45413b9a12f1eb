"""A run watched in a real browser: it moves there, and nothing that is pressed or clicked there changes anything."""

import string
from collections.abc import AsyncIterator, Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from console.domain.events import Draft, Kind
from console.engine.journal import FileJournal
from tests.cli.web_serving import Served, gone, serving
from tests.end_to_end.browser import CHROMIUM, HEIGHT, WIDTH, Page, browsing
from tests.engine.following import CREATED, RUN, create

pytestmark = pytest.mark.skipif(CHROMIUM is None, reason="there is no Chromium here")

CTRL = 2
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
QUITS = "q"


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


def keys() -> Iterator[tuple[str, int, str, int]]:
    """Every key but those that close the view: its name, its code, what it types, its modifiers."""
    for name, code in SPECIAL.items():
        yield name, code, "\r" if name == "Enter" else "", 0
    for letter in string.ascii_lowercase:
        if letter not in QUITS:
            yield letter, ord(letter.upper()), "", CTRL
            yield "Escape", 27, "", 0
    for sign in string.printable[:95]:
        if sign not in QUITS:
            yield sign, ord(sign.upper()), sign, 0
            yield "Enter", 13, "\r", 0
            yield "Escape", 27, "", 0


async def append(journal: FileJournal, kind: Kind, **data: str) -> None:
    await journal.append(Draft(kind, data={**data}), at=datetime.now(UTC), actor="ops@laptop")


async def place_of(page: Page, text: str) -> tuple[int, int]:
    """The column and the row where a text begins in the terminal."""
    lines = (await page.see(text)).splitlines()
    return next((line.index(text), row) for row, line in enumerate(lines) if text in line)


async def test_the_run_moves_in_the_page_and_no_key_or_click_changes_anything(
    journal: FileJournal, served: Served, page: Page, tmp_path: Path
) -> None:
    await page.go(served.address)
    await page.see("WATCHING", "A small release")
    await append(journal, Kind.ALERT_RAISED, id="a", severity="warning", message="The disk is nearly full")
    await page.see("warnings (1)")
    folders = (tmp_path / "state", tmp_path / "home")
    before = world(*folders)
    for name, code, text, modifiers in keys():
        await page.press(name, code=code, text=text, modifiers=modifiers)
    for x in range(8, WIDTH, 90):
        for y in range(8, HEIGHT - 60, 60):
            await page.click(x, y)
            await page.press("Escape", code=27)
    width, row = await place_of(page, "q quit")
    for column in range(0, width, 4):
        await page.click_cell(column, row)
        await page.press("Escape", code=27)
    await page.see("WATCHING", "A small release")
    assert world(*folders) == before
    await append(journal, Kind.RUN_FINISHED, outcome="failed", reason="The disk is full")
    await page.see("The disk is full")
    await page.click_cell(*await place_of(page, "q quit"))
    await page.end()
    await page.see(f"Run {RUN} failed.")
    assert not page.thrown
    elsewhere = [asked for asked in page.asked_for if served.token not in asked]
    assert not elsewhere


async def test_a_run_that_cannot_be_read_says_why_and_can_be_watched_again(
    served: Served, page: Page, tmp_path: Path
) -> None:
    plan = tmp_path / "state" / "runs" / RUN / "plan.json"
    kept = plan.rename(tmp_path / "kept.json")
    await page.go(served.address)
    await page.see("cannot be read", "next")
    await page.end()
    kept.rename(plan)
    await page.again()
    await page.see("WATCHING", "A small release")
    viewers = served.viewers()
    await page.go(f"{served.origin}/")
    assert await page.value("document.body.textContent") == "Nothing here.\n"
    assert await served.end() == 0
    for viewer in viewers:
        await gone(viewer)
