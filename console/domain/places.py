"""Where an address leads: its host, and whether that is this machine. Pure: names are not looked up."""

from ipaddress import ip_address
from urllib.parse import urlsplit


def host_of(address: str) -> str:
    """`host` or `host:port` of an address: of a URL, or `git@host:path`. Empty for `file://`.

    Raises ValueError when it cannot be read.
    """
    if "://" not in address:
        return address.partition("@")[2].partition(":")[0]
    return urlsplit(address).netloc.rpartition("@")[2]


def is_loopback(host: str) -> bool:
    """Whether a host (with or without a port) is this machine; an empty one is."""
    name = host.rpartition(":")[0] if host.count(":") == 1 else host
    name = name.partition("]")[0].removeprefix("[").rstrip(".").lower()
    if name in ("", "localhost") or name.endswith(".localhost"):
        return True
    try:
        return ip_address(name).is_loopback
    except ValueError:
        return False
