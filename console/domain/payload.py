"""Typed reading of an event's data, which is plain JSON and may come from an older or newer console.

A key that is missing, or holds something of another type, reads as the default: an old journal always
replays.
"""

from collections.abc import Mapping

from console.domain.plan import Json

Data = Mapping[str, Json]


def text(data: Data, key: str, default: str = "") -> str:
    """The string under `key`."""
    value = data.get(key)
    return value if isinstance(value, str) else default


def text_or_none(data: Data, key: str) -> str | None:
    """The string under `key`, None when there is none."""
    value = data.get(key)
    return value if isinstance(value, str) else None


def number(data: Data, key: str, default: float = 0.0) -> float:
    """The number under `key`."""
    value = number_or_none(data, key)
    return default if value is None else value


def number_or_none(data: Data, key: str) -> float | None:
    """The number under `key`, None when there is none."""
    value = data.get(key)
    return float(value) if isinstance(value, int | float) and not isinstance(value, bool) else None


def flag(data: Data, key: str) -> bool:
    """Whether `key` holds true."""
    return data.get(key) is True


def texts(data: Data, key: str) -> tuple[str, ...]:
    """The strings of the list under `key`."""
    value = data.get(key)
    return tuple(item for item in value if isinstance(item, str)) if isinstance(value, list) else ()


def mapping(data: Data, key: str) -> Data:
    """The object under `key`."""
    value = data.get(key)
    return value if isinstance(value, dict) else {}


def numbers(data: Data, key: str) -> dict[str, float]:
    """The numbers of the object under `key`, by name."""
    inner = mapping(data, key)
    return {name: number(inner, name) for name in inner if number_or_none(inner, name) is not None}
