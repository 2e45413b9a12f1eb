"""The nearest thing that would have been right."""

from collections.abc import Iterable
from difflib import SequenceMatcher

_CLOSE_ENOUGH = 0.5


def nearest(word: str, options: Iterable[str]) -> str | None:
    """The option most like `word`, capitals aside, or None when none is like it."""
    scored = [(SequenceMatcher(None, word.casefold(), option.casefold()).ratio(), option) for option in options]
    score, option = max(scored, default=(0.0, ""), key=lambda pair: pair[0])
    return option if score >= _CLOSE_ENOUGH else None


def did_you_mean(word: str, options: Iterable[str], *, or_list: bool = False) -> str:
    """` Did you mean "…"?`, with its leading space.

    Without a near match: nothing, or with `or_list` all options when they are few enough to read.
    """
    options = list(options)
    if (match := nearest(word, options)) is not None:
        return f' Did you mean "{match}"?'
    if or_list and 0 < len(options) <= 12:
        return " It can be " + ", ".join(f'"{option}"' for option in options) + "."
    return ""
