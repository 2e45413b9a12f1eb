"""Hosts, secrets and values: a rehearsal stays on this machine, and nothing secret or endless stands in a plan."""

import re
from collections.abc import Iterator
from math import isfinite

from console.config.parts import Parts
from console.config.problems import Problem
from console.config.toml_lines import Path
from console.domain.places import host_of, is_loopback
from console.domain.plan import Json

_SECRETS = (
    (re.compile(r"\brnd_[A-Za-z0-9]{8,}"), "a Render API key"),
    (re.compile(r"[A-Za-z][A-Za-z0-9+.-]*://[^\s/:@]*:[^\s/@]+@"), "an address with a password"),
    (re.compile(r"-----BEGIN [A-Z ]*PRIVATE KEY"), "a private key"),
)


def hosts(parts: Parts) -> Iterator[Problem]:
    """A rehearsal names only this machine, any other environment never; and nothing real is spoken to in clear."""
    rehearsal = parts.data.get("environment") == "rehearsal"
    for path, address in _addresses(parts):
        try:
            host = host_of(address)
        except ValueError:
            yield Problem(path, "is an address that cannot be read.")
            continue
        if rehearsal and not is_loopback(host):
            yield Problem(path, f'leads to "{host}": a rehearsal may only name this machine, such as 127.0.0.1.')
        elif not rehearsal and is_loopback(host):
            text = (
                'leads to this machine, which is no place for production. A rehearsal says environment = "rehearsal".'
            )
            yield Problem(path, text)
        elif not rehearsal and address.startswith("http://"):
            yield Problem(path, "must begin with https://: secrets and customers' data pass here.")


def one_source_a_secret(parts: Parts) -> Iterator[Problem]:
    """Each secret comes from one place: a variable or a file."""
    for section, name, needed in (
        (parts.render, "token", True),
        (parts.database, "url", True),
        (parts.backup, "scratch_url", False),
        (parts.journal, "url", False),
        *((channel, "url", True) for channel in parts.channels),
    ):
        if section is None:
            continue
        given = [key for key in (f"{name}_env", f"{name}_file") if getattr(section.item, key) is not None]
        if len(given) == 2:
            yield Problem((*section.path, given[1]), f"cannot stand beside `{given[0]}`: a secret has one source.")
        if needed and not given:
            yield Problem(section.path, f"needs `{name}_env` (an environment variable) or `{name}_file`.")


def no_secrets(parts: Parts) -> Iterator[Problem]:
    """No value looks like a secret. The value itself is never shown."""
    for path, value in _scalars((), dict(parts.data)):
        what = next((what for pattern, what in _SECRETS if isinstance(value, str) and pattern.search(value)), None)
        if what is not None:
            remedy = "Put it into an environment variable or a file of mode 0600, and name that: `…_env`, `…_file`."
            yield Problem(path, f"holds {what}, and a plan holds no secrets. {remedy}", secret=True)


def numbers_are_finite(parts: Parts) -> Iterator[Problem]:
    """No `inf`, no `nan`: neither can be kept in a record or compared with."""
    for path, value in _scalars((), dict(parts.data)):
        if isinstance(value, float) and not isfinite(value):
            yield Problem(path, "must be a finite number.")


def _addresses(parts: Parts) -> Iterator[tuple[Path, str]]:
    if parts.render is not None:
        yield (*parts.render.path, "api_url"), parts.render.item.api_url
    for service in parts.services:
        yield (*service.path, "url"), service.item.url
    if parts.repository is not None:
        yield (*parts.repository.path, "url"), parts.repository.item.url


def _scalars(path: Path, value: Json) -> Iterator[tuple[Path, Json]]:
    if isinstance(value, dict):
        for key, item in value.items():
            yield from _scalars((*path, key), item)
    elif isinstance(value, list):
        for place, item in enumerate(value):
            yield from _scalars((*path, place), item)
    else:
        yield path, value
