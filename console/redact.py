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

# Every pattern needs one of these (in small letters) in the text. Looking for them first keeps the log tail fast.
_HINTS = ("rnd_", "://", "authorization", "bearer", "password", "passwd", "secret", "token", "key", "signature", "sig=")

_PATTERNS = (
    (re.compile(r"\brnd_[A-Za-z0-9_-]{6,}"), MASK),
    (re.compile(r"(?P<keep>[A-Za-z][A-Za-z0-9+.-]*://[^\s/:@\"'<>]*:)[^\s@\"'<>]+(?=@)"), rf"\g<keep>{MASK}"),
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
            r"|[?&](?:token|sig|key|x-amz-[a-z-]*|[a-z-]*signature|[a-z-]*credential))"
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
        self._values: set[str] = set()
        self._exact: re.Pattern[str] | None = None
        for value in values:
            self.add(value)

    def __repr__(self) -> str:
        return f"Redactor(knows {len(self._values)})"

    def add(self, value: str) -> None:
        """Remember a secret: itself, as a URL, JSON and Python write it, and, when it is a URL, its password alone."""
        for form in _forms(value.strip()):
            if len(form) >= _SHORTEST:
                self._values.add(form)
        if self._values:
            longest_first = sorted(self._values, key=lambda form: (-len(form), form))
            self._exact = re.compile("|".join(map(re.escape, longest_first)))

    def text(self, text: str) -> str:
        """The text without secrets."""
        if self._exact is not None:
            text = self._exact.sub(MASK, text)
        lowered = text.lower()
        if any(hint in lowered for hint in _HINTS):
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
