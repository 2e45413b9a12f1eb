"""Durations and shares as people write them."""

import pytest

from console.config.durations import parse_duration, parse_range, parse_share
from console.domain.plan import DurationRange


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("3 s", 3),
        ("500 ms", 0.5),
        ("1.5min", 90),
        ("1 h 30 min", 5400),
        ("7 days", 604800),
        ("1 day", 86400),
        ("2 weeks", 1209600),
    ],
)
def test_a_duration_is_read(text: str, seconds: float) -> None:
    assert parse_duration(text) == seconds


@pytest.mark.parametrize(
    "text", ["", "3", "min", "3 s later", "-3 s", "3 fortnights", "0 s", "3,5 s", "1e3 s", "٣ s s"]
)
def test_what_is_no_duration_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"is not a|is no time"):
        parse_duration(text)


@pytest.mark.parametrize(
    ("text", "low", "high"),
    [
        ("10-20 min", 600, 1200),
        ("10–20 min", 600, 1200),
        ("1 min", 60, 60),
        ("0-1 min", 0, 60),
        ("2.5 - 5 h", 9000, 18000),
    ],
)
def test_a_range_is_read(text: str, low: float, high: float) -> None:
    assert parse_range(text) == DurationRange(low, high)


@pytest.mark.parametrize("text", ["20-10 min", "0-0 min", "10-20", "10-20 mins", "10-20-30 min", ""])
def test_what_is_no_range_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"not a|begins with|no time"):
        parse_range(text)


@pytest.mark.parametrize(("text", "share"), [("5 %", 0.05), ("0%", 0), ("100 %", 1), ("0.5 %", 0.005)])
def test_a_share_is_read(text: str, share: float) -> None:
    assert parse_share(text) == pytest.approx(share)


@pytest.mark.parametrize("text", ["5", "101 %", "-1 %", "five %", ""])
def test_what_is_no_share_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="is not a share"):
        parse_share(text)
