"""The nearest thing that would have been right."""

from collections.abc import Collection, Iterable
from difflib import SequenceMatcher

_CLOSE_ENOUGH = 0.5
_PREFERENCE = 0.2


def nearest(word: str, options: Iterable[str], *, likely: Collection[str] = ()) -> str | None:
    """The option most like `word`, capitals aside, or None when none is like it.

    Between options about equally near, those in `likely` are preferred.
    """
    likeness = {option: _likeness(word, option) for option in options}
    near = [option for option, score in likeness.items() if score >= _CLOSE_ENOUGH]
    return max(near, default=None, key=lambda option: likeness[option] + _PREFERENCE * (option in likely))


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


def _likeness(word: str, option: str) -> float:
    return SequenceMatcher(None, word.casefold(), option.casefold()).ratio()
