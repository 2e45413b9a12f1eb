"""Moments as the API writes and reads them: RFC 3339, UTC, to the nanosecond where a log needs it."""

import re
from datetime import UTC, datetime

NS = 1_000_000_000

_RFC3339 = re.compile(r"(\d{4}-\d\d-\d\d)[Tt ](\d\d:\d\d:\d\d)(?:\.(\d{1,9})\d*)?([Zz]|[+-]\d\d:\d\d)$")
_EPOCH = re.compile(r"(\d{9,11})(?:\.(\d{1,9})\d*)?$")


def utc_now() -> datetime:
    """The present moment, in UTC."""
    return datetime.now(UTC)


def rfc3339(moment: datetime) -> str:
    """A moment as the API shows it, microseconds included."""
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%f") + "Z"


def rfc3339_ns(ns: int) -> str:
    """Nanoseconds since the epoch as the log API shows them."""
    seconds, rest = divmod(ns, NS)
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%dT%H:%M:%S") + f".{rest:09d}Z"


def to_ns(moment: datetime) -> int:
    """Nanoseconds since the epoch, exact to the microsecond."""
    whole = moment.astimezone(UTC).replace(microsecond=0)
    return int(whole.timestamp()) * NS + moment.microsecond * 1000


def parse_ns(text: str) -> int:
    """Nanoseconds since the epoch of an RFC 3339 or epoch timestamp; ValueError for anything else."""
    if epoch := _EPOCH.match(text):
        return int(epoch[1]) * NS + int((epoch[2] or "").ljust(9, "0"))
    # A plus sign that a client forgot to escape arrives as a blank.
    found = _RFC3339.match(re.sub(r" (\d\d:\d\d)$", r"+\1", text))
    if found is None:
        raise ValueError(f"not an RFC 3339 timestamp: {text!r}")
    day, clock, fraction, zone = found.groups()
    whole = datetime.fromisoformat(f"{day}T{clock}{'+00:00' if zone in 'Zz' else zone}")
    return int(whole.timestamp()) * NS + int((fraction or "").ljust(9, "0"))


def parse_moment(text: str) -> datetime:
    """Like `parse_ns`, as a datetime in UTC."""
    ns = parse_ns(text)
    return datetime.fromtimestamp(ns // NS, UTC).replace(microsecond=ns % NS // 1000)
