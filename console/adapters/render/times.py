"""Moments as the provider writes them: RFC 3339, UTC, sometimes to the nanosecond."""

from datetime import UTC, datetime, timedelta

_MICROSECOND = timedelta(microseconds=1)


def rfc3339(moment: datetime) -> str:
    """A moment for a request, to the microsecond."""
    return moment.astimezone(UTC).isoformat(timespec="microseconds").replace("+00:00", "Z")


def parsed(text: str) -> datetime:
    """A moment of an answer, cut to the microsecond. Raises ValueError."""
    moment = datetime.fromisoformat(text)
    if moment.tzinfo is None:
        raise ValueError(f"a moment without a zone: {text!r}")
    return moment.astimezone(UTC) if moment.utcoffset() else moment


def parsed_up(text: str) -> datetime:
    """Like `parsed`, but rounded up: the end of a range must not cut off what lies between two microseconds."""
    moment = parsed(text)
    _, _, fraction = text.partition(".")
    digits = fraction.rstrip("Zz").partition("+")[0].partition("-")[0]
    return moment + _MICROSECOND if digits[6:].strip("0") else moment
