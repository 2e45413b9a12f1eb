"""Durations and shares as people write them: "500 ms", "1 h 30 min", "10-20 min", "5 %"."""

import re

from console.config.nearest import did_you_mean
from console.domain.plan import DurationRange

_UNITS = {"ms": 0.001, "s": 1.0, "min": 60.0, "h": 3600.0, "day": 86400.0, "days": 86400.0, "week": 604800.0}
_UNITS["weeks"] = _UNITS["week"]

_NUMBER = r"\d+(?:\.\d+)?"
_DURATION = re.compile(rf"\s*({_NUMBER})\s*([^\W\d]+)")
_RANGE = re.compile(rf"\s*({_NUMBER})\s*[-–]\s*({_NUMBER})\s*([^\W\d]+)\s*")
_SHARE = re.compile(rf"\s*({_NUMBER})\s*%\s*")


def parse_duration(text: str) -> float:
    """Seconds, above zero. Raises ValueError with a sentence for people."""
    seconds, at = 0.0, 0
    while match := _DURATION.match(text, at):
        seconds += float(match[1]) * _unit(match[2])
        at = match.end()
    if at == 0 or text[at:].strip():
        raise ValueError(f'"{text}" is not a duration. Write for example "500 ms", "3 s", "30 min" or "7 days".')
    if seconds <= 0:
        raise ValueError(f'"{text}" is no time at all: a duration is above zero.')
    return seconds


def parse_range(text: str) -> DurationRange:
    """A planned duration: "10-20 min", or a single one, which is its own shortest and longest. Raises ValueError."""
    match = _RANGE.fullmatch(text)
    if match is None:
        seconds = parse_duration(text)
        return DurationRange(seconds, seconds)
    unit = _unit(match[3])
    low, high = float(match[1]) * unit, float(match[2]) * unit
    if low > high:
        raise ValueError(f'"{text}" begins with the longer time: write "{match[2]}-{match[1]} {match[3]}".')
    if high <= 0:
        raise ValueError(f'"{text}" is no time at all: a duration is above zero.')
    return DurationRange(low, high)


def parse_share(text: str) -> float:
    """A share from 0 to 1, written as a percentage. Raises ValueError."""
    match = _SHARE.fullmatch(text)
    if match is None or not 0 <= float(match[1]) <= 100:
        raise ValueError(f'"{text}" is not a share. Write a percentage from "0 %" to "100 %".')
    return float(match[1]) / 100


def _unit(word: str) -> float:
    if word not in _UNITS:
        raise ValueError(f'"{word}" is not a unit of time.{did_you_mean(word, _UNITS, or_list=True)}')
    return _UNITS[word]
