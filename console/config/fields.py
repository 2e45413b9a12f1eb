"""What single values of a plan may look like. Every refusal is a sentence for people."""

import re
from collections.abc import Callable
from typing import Annotated, TypeVar

from pydantic import AfterValidator, BeforeValidator, Field

from console.config.durations import parse_duration, parse_range, parse_share
from console.config.nearest import did_you_mean
from console.config.read_only_sql import check_condition, check_query
from console.domain.plan import DurationRange

_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f]")
_SKIPS_DEPLOY = re.compile(r"\[(?:skip (?:render|deploy|cd)|(?:render|deploy|cd) skip)\]", re.IGNORECASE)
_T = TypeVar("_T")
_METHODS = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE")


def matching(pattern: str, what: str) -> Callable[[str], str]:
    """A validator: the whole text matches `pattern`, or it is not `what`."""
    compiled = re.compile(pattern)

    def check(text: str) -> str:
        if compiled.fullmatch(text) is None:
            raise ValueError(f'"{text}" is not {what}.')
        return text

    return check


def one_of(*options: str) -> Callable[[str], str]:
    """A validator: the text is one of `options`."""

    def check(text: str) -> str:
        if text not in options:
            raise ValueError(f'"{text}" is not one of the words for it.{did_you_mean(text, options, or_list=True)}')
        return text

    return check


def from_text(parse: Callable[[str], _T], example: str) -> Callable[[object], _T]:
    """A validator that turns text into something else; anything but text is refused with an example."""

    def convert(value: object) -> _T:
        if not isinstance(value, str):
            raise ValueError(f'must be text in quotes, such as "{example}".')
        return parse(value)

    return convert


def not_blank(text: str) -> str:
    """A validator: something stands there."""
    if not text.strip():
        raise ValueError("must not be empty.")
    return text


def _line(text: str) -> str:
    not_blank(text)
    if _CONTROL.search(text) or "\n" in text:
        raise ValueError("must be a single line without control characters.")
    return text


def _lines(text: str) -> str:
    if _CONTROL.search(text):
        raise ValueError("must not hold control characters.")
    return text


def _branch(text: str) -> str:
    wrong = text.startswith(("-", "/", ".")) or text.endswith(("/", ".", ".lock")) or ".." in text or "@{" in text
    if wrong or re.fullmatch(r"[^\x00-\x20\x7f~^:?*\[\\]+", text) is None:
        raise ValueError(f'"{text}" cannot be the name of a branch.')
    return text


def _repository_path(text: str) -> str:
    parts = text.split("/")
    if _CONTROL.search(text) or text.startswith(("/", "-")) or "" in parts or ".." in parts or "." in parts:
        raise ValueError(f'"{text}" is not a path inside the repository, such as "services/report.js".')
    return text


def _merge_message(text: str) -> str:
    if (match := _SKIPS_DEPLOY.search(text)) is not None:
        raise ValueError(f'holds "{match.group()}", which keeps Render from deploying the merge. Leave it out.')
    return _lines(not_blank(text))


def _send(text: str) -> str:
    method, _, path = text.partition(" ")
    if method not in _METHODS:
        raise ValueError(f'"{method}" is not an HTTP method.{did_you_mean(method, _METHODS, or_list=True)}')
    if re.fullmatch(r"/[^\s#]*", path) is None or path.startswith("//"):
        raise ValueError(f'"{text}" is not a request. Write a method and a path, such as "GET /health".')
    return text


Line = Annotated[str, AfterValidator(_line)]
Lines = Annotated[str, AfterValidator(_lines)]
Id = Annotated[str, AfterValidator(matching(r"[a-z0-9][a-z0-9._-]*", "an id: small letters, digits, dots and dashes"))]
Name = Annotated[str, AfterValidator(matching(r"[A-Za-z_][A-Za-z0-9_]*", "a name: letters, digits and underscores"))]

Duration = Annotated[float, BeforeValidator(from_text(parse_duration, "30 s"))]
Planned = Annotated[DurationRange, BeforeValidator(from_text(parse_range, "10-20 min"))]
Share = Annotated[float, BeforeValidator(from_text(parse_share, "5 %"))]
Positive = Annotated[float, Field(gt=0, allow_inf_nan=False)]
Count = Annotated[int, Field(ge=1, le=1_000_000)]
HttpStatus = Annotated[int, Field(ge=100, le=599)]

EnvironmentName = Annotated[str, AfterValidator(one_of("production", "staging", "devtest"))]
ServiceId = Annotated[str, AfterValidator(matching(r"srv-[a-z0-9-]{4,}", 'a service id, such as "srv-" and 20 more'))]
PostgresId = Annotated[str, AfterValidator(matching(r"dpg-[a-z0-9-]{4,}", 'a database id, such as "dpg-" and 20 more'))]
OwnerId = Annotated[
    str,
    AfterValidator(matching(r"(?:tea|usr|own)-[a-z0-9-]{4,}", 'an owner id: "tea-" (a team) or "usr-" and 20 more')),
]
HttpUrl = Annotated[
    str,
    AfterValidator(matching(r"https?://[^\s/@?#]+(?:/[^\s?#]*)?", 'an address, such as "https://crm.example.com"')),
]
RepositoryUrl = Annotated[
    str,
    AfterValidator(
        matching(
            r"(?:https?|ssh)://[^\s-]\S*|file:///\S+|[\w.][\w.-]*@[\w.][\w.-]*:[^\s-]\S*",
            'the address of a repository: "git@host:path", or one that begins with https, ssh or file',
        )
    ),
]
Environment = Annotated[str, AfterValidator(matching(r"[A-Za-z_][A-Za-z0-9_]*", "the name of an environment variable"))]

Branch = Annotated[str, AfterValidator(_branch)]
RepositoryPath = Annotated[str, AfterValidator(_repository_path)]
CommitHash = Annotated[str, AfterValidator(matching(r"[0-9a-f]{7,40}", "a commit: 7 to 40 hexadecimal digits"))]
MergeMessage = Annotated[str, AfterValidator(_merge_message)]

Column = Annotated[str, AfterValidator(matching(r"[A-Za-z_][A-Za-z0-9_$]{0,62}", "the name of a column"))]
Table = Annotated[
    str,
    AfterValidator(
        matching(r"(?:[A-Za-z_][A-Za-z0-9_$]{0,62}\.)?[A-Za-z_][A-Za-z0-9_$]{0,62}", "the name of a table or view")
    ),
]
Condition = Annotated[str, AfterValidator(check_condition)]
ReadOnlyQuery = Annotated[str, AfterValidator(check_query)]
Send = Annotated[str, AfterValidator(_send)]
