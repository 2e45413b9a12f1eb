"""Identifiers in the provider's form: a prefix that tells the kind, and twenty letters or digits."""

import secrets
import string
from typing import Literal

Prefix = Literal["tea", "srv", "dep", "dpg", "evm", "evt", "prj", "exp", "bld"]

_ALPHABET = string.ascii_lowercase + string.digits


def random_text(length: int) -> str:
    """`length` random characters of [a-z0-9]."""
    return "".join(secrets.choice(_ALPHABET) for _ in range(length))


def new_id(prefix: Prefix) -> str:
    """A fresh identifier, `srv-…` for example."""
    return f"{prefix}-{random_text(20)}"


def new_instance_id(service_id: str) -> str:
    """The identifier of one running instance of a service."""
    return f"{service_id}-{random_text(5)}"
