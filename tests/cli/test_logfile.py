"""Log records of a run go to a file in its folder: without secrets, the owner's alone, never on the terminal."""

import logging
import stat
from pathlib import Path

import pytest

from console.cli.by_hand import quiet_terminal
from console.cli.logfile import LOG_FILE, logging_to
from console.redact import Redactor

_log = logging.getLogger("console.somewhere")


def test_a_record_stands_in_the_file_with_its_traceback(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    with logging_to(tmp_path):
        try:
            raise ValueError("broken")
        except ValueError:
            _log.exception("a listener failed")
        _log.info("chatter")
    text = (tmp_path / LOG_FILE).read_text()
    assert "ERROR console.somewhere: a listener failed" in text
    assert "ValueError: broken" in text
    assert "chatter" not in text
    assert stat.S_IMODE((tmp_path / LOG_FILE).stat().st_mode) == 0o600
    assert capfd.readouterr() == ("", "")


def test_no_secret_is_written_nor_in_a_traceback(tmp_path: Path) -> None:
    with logging_to(tmp_path) as file:
        file.redact = Redactor(["correct-horse"]).text
        try:
            raise ValueError("the password is correct-horse")
        except ValueError:
            _log.exception("connecting to postgresql://crm:battery-staple@db/crm with %s", "correct-horse")
    text = (tmp_path / LOG_FILE).read_text()
    assert "correct-horse" not in text
    assert "battery-staple" not in text


def test_without_records_there_is_no_file_and_afterwards_none_is_written(tmp_path: Path) -> None:
    with logging_to(tmp_path):
        pass
    with quiet_terminal():
        _log.warning("too late")
    assert not (tmp_path / LOG_FILE).exists()


def test_a_disk_that_takes_nothing_costs_the_record_alone(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    with logging_to(tmp_path / "gone"):
        _log.warning("lost")
    assert capfd.readouterr() == ("", "")


def test_the_terminal_is_left_to_the_screens(capfd: pytest.CaptureFixture[str]) -> None:
    with quiet_terminal():
        _log.warning("over the picture")
    assert capfd.readouterr() == ("", "")
