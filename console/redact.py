"""Secrets never pass: what the console writes, shows or raises goes through here first.

Two nets: the exact values that this process knows to be secret, and the shapes that secrets have. Whatever is
caught becomes `•••`; the words around it stay, so that a line can still be understood.
"""

import json
import re
import traceback
from collections.abc import Iterable
from urllib.parse import quote, unquote, urlsplit

from console.domain.plan import Json

MASK = "•••"

# Shorter values would blot out ordinary words.
_SHORTEST = 6

# Repeats that could meet again and again on one line are bounded: log lines are untrusted, and a long one must not
# take time that grows with its square.
_PATTERNS = (
    (re.compile(r"\brnd_[A-Za-z0-9_-]{6,}"), MASK),
    (
        re.compile(
            r"(?P<keep>(?<![A-Za-z0-9+.-])[A-Za-z][A-Za-z0-9+.-]{0,30}://[^\s/:@\"'<>]{0,256}:)[^\s@\"'<>]{1,512}(?=@)"
        ),
        rf"\g<keep>{MASK}",
    ),
    (
        re.compile(
            r"(?P<keep>\bauthorization[\"']?\s*[:=]\s*[\"']?(?:(?:bearer|basic)\s+)?)[^\s\"',;]+", re.IGNORECASE
        ),
        rf"\g<keep>{MASK}",
    ),
    (
        re.compile(r"(?P<keep>\bbearer\s+)(?=[A-Za-z0-9._~+/=-]*\d)[A-Za-z0-9._~+/=-]{8,}", re.IGNORECASE),
        rf"\g<keep>{MASK}",
    ),
    (
        re.compile(
            r"(?P<keep>(?:password|passwd|pgpassword|secret|(?:access|auth|api|refresh)[_-]?token|api[_-]?key|secret[_-]?key"
            r"|[?&](?:token|sig|key|x-amz-[a-z-]{0,40}|[a-z-]{0,40}(?:signature|credential)))"
            r"[\"']?\s*(?:=|:(?!//))\s*)(?P<quote>[\"']?)(?!\s)[^\s\"'&,;}]+(?P=quote)",
            re.IGNORECASE,
        ),
        rf"\g<keep>\g<quote>{MASK}\g<quote>",
    ),
)

# Values under such keys are secret whatever they look like.
_SECRET_KEYS = frozenset(
    {"password", "passwd", "pgpassword", "secret", "token", "api_key", "apikey", "authorization", "access_token"}
    | {"refresh_token", "auth_token", "client_secret", "private_key", "connection_string", "database_url"}
)


class Redactor:
    """Takes secrets out of text and of nested JSON. Knows exact `values`; more can be added as they are resolved."""

    def __init__(self, values: Iterable[str] = ()) -> None:
        self._values: tuple[str, ...] = ()
        for value in values:
            self.add(value)

    def __repr__(self) -> str:
        return f"Redactor(knows {len(self._values)})"

    def add(self, value: str) -> None:
        """Remember a secret: itself, as URL, JSON and Python write it, and, when it is a URL, its password alone."""
        forms = {form for form in _forms(value.strip()) if len(form) >= _SHORTEST}
        # Longest first: a URL goes whole, not as what is around its password.
        self._values = tuple(sorted({*self._values, *forms}, key=lambda form: (-len(form), form)))

    def text(self, text: str) -> str:
        """The text without secrets."""
        for value in self._values:
            if value in text:
                text = text.replace(value, MASK)
        if _suspicious(text.lower()):
            for pattern, replacement in _PATTERNS:
                text = pattern.sub(replacement, text)
        return text

    def data(self, data: Json) -> Json:
        """The same data without secrets, in keys, values and under keys that name a secret."""
        if isinstance(data, str):
            return self.text(data)
        if isinstance(data, list):
            return [self.data(item) for item in data]
        if isinstance(data, dict):
            return {self.text(key): self._value(key, item) for key, item in data.items()}
        return data

    def exception(self, error: BaseException) -> str:
        """A traceback as text, without secrets."""
        return self.text("".join(traceback.format_exception(error)))

    def _value(self, key: str, value: Json) -> Json:
        if isinstance(value, str) and value and key.lower().replace("-", "_") in _SECRET_KEYS:
            return MASK
        return self.data(value)


def _suspicious(lowered: str) -> bool:
    """Whether any pattern could match. Written out because the log tail asks it of every line."""
    return (
        "://" in lowered
        or "pass" in lowered
        or "token" in lowered
        or "key" in lowered
        or "secret" in lowered
        or "rnd_" in lowered
        or "bearer" in lowered
        or "authorization" in lowered
        or "signature" in lowered
        or "sig=" in lowered
        or "x-amz-" in lowered
        or "credential" in lowered
    )


def _forms(secret: str) -> set[str]:
    forms = {secret}
    if "://" in secret:
        try:
            password = urlsplit(secret).password
        except ValueError:
            password = None
        if password:
            forms |= {password, unquote(password)}
    forms |= {quote(form, safe="") for form in forms}
    return forms | {json.dumps(form)[1:-1] for form in forms} | {repr(form)[1:-1] for form in forms}
