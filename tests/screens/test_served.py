"""The driver behind a browser: what reaches beyond the screens goes nowhere, and it ends with whoever serves it."""

import asyncio
import os
import sys
from asyncio.subprocess import PIPE
from pathlib import Path

from console.cli.web import DRIVER

ROOT = Path(__file__).parents[2]
PATIENCE_S = 60.0
REACHES_OUT = """
import io, sys
from textual.app import App

class Reaching(App):
    async def on_mount(self):
        self.open_url("https://elsewhere.example")
        self.deliver_text(io.StringIO("a file"), save_filename="kept.txt")
        self.deliver_binary(io.BytesIO(b"a file"), save_filename="kept.bin")
        self.action_screenshot()
        self.action_suspend_process()
        if "exit" in sys.argv:
            self.exit()

Reaching().run()
"""


async def _start(home: Path, *arguments: str) -> asyncio.subprocess.Process:
    home.mkdir()
    environment = {"PATH": os.environ["PATH"], "HOME": str(home), "PYTHONPATH": str(ROOT), "TEXTUAL_DRIVER": DRIVER}
    command = (sys.executable, "-B", "-c", REACHES_OUT, *arguments)
    return await asyncio.create_subprocess_exec(
        *command, stdin=PIPE, stdout=PIPE, stderr=PIPE, env=environment, cwd=home
    )


async def test_nothing_is_opened_delivered_or_saved(tmp_path: Path) -> None:
    process = await _start(tmp_path / "home", "exit")
    async with asyncio.timeout(PATIENCE_S):
        drawn, said = await process.communicate()
    assert process.returncode == 0, said.decode()
    assert b"elsewhere" not in drawn
    assert b"kept" not in drawn
    assert b"deliver_file_start" not in drawn
    assert list((tmp_path / "home").iterdir()) == []


async def test_it_ends_when_nobody_serves_it_any_more(tmp_path: Path) -> None:
    process = await _start(tmp_path / "home")
    assert process.stdout is not None
    assert process.stdin is not None
    async with asyncio.timeout(PATIENCE_S):
        assert await process.stdout.readline() == b"__GANGLION__\n"
        process.stdin.close()
        _, said = await process.communicate()
    assert process.returncode == 0, said.decode()
