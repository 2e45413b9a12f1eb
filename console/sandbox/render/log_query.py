"""Which log entries a client asks for: the filters of `GET /logs` and `GET /logs/subscribe`.

Filter values may hold `*` for anything, or be a regular expression between slashes; values of one filter
are alternatives, filters are conditions that must all hold.
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

LABEL_FILTERS = ("instance", "host", "statusCode", "method", "level", "type", "path", "task", "taskRun")

Condition = Callable[[str], bool]


@dataclass(frozen=True, slots=True)
class LogQuery:
    """A compiled query; times are nanoseconds since the epoch, both inclusive."""

    resources: frozenset[str]
    start_ns: int
    end_ns: int
    labels: Mapping[str, tuple[Condition, ...]] = field(default_factory=dict)
    texts: tuple[Condition, ...] = ()

    def accepts(self, message: str, labels: Mapping[str, str]) -> bool:
        """Whether an entry passes every filter but the time range."""
        if labels["resource"] not in self.resources:
            return False
        for name, conditions in self.labels.items():
            value = labels.get(name)
            if value is None or not any(condition(value) for condition in conditions):
                return False
        return not self.texts or any(condition(message) for condition in self.texts)


def label_condition(value: str) -> Condition:
    """A condition on a whole label; ValueError for a regular expression that does not compile."""
    if (regex := _regex(value)) is not None:
        return lambda text: regex.search(text) is not None
    pattern = re.compile(_wildcards(value))
    return lambda text: pattern.fullmatch(text) is not None


def text_condition(value: str) -> Condition:
    """A condition on any part of a message, blind to case; ValueError as for `label_condition`."""
    pattern = _regex(value) or re.compile(_wildcards(value), re.IGNORECASE)
    return lambda text: pattern.search(text) is not None


def _regex(value: str) -> re.Pattern[str] | None:
    if len(value) < 3 or not (value.startswith("/") and value.endswith("/")):
        return None
    try:
        return re.compile(value[1:-1])
    except re.error as error:
        raise ValueError(f"not a regular expression: {value!r} ({error})") from error


def _wildcards(value: str) -> str:
    return ".*".join(re.escape(part) for part in value.split("*"))
