"""The `Notifier` port over Apprise: words to the stakeholders, each channel on its own, none able to stop a run.

A channel's URL is a secret: it is named by the plan's name for it and appears nowhere else. What the libraries log of a
delivery quotes it, so nothing of that reaches a handler: only why a delivery failed is read from it.
"""

import asyncio
import logging
import re
from collections.abc import Mapping, Sequence
from contextvars import ContextVar

from console.secrets import Secret

_TIMEOUT_S = 30.0

_NO_ADDRESS = "its address is not one that words can be sent to"
_REFUSED = "the channel refused it"
_BROKEN = "the channel could not be used"

_STATUS = re.compile(r"\berror=(?P<status>[45]\d\d)\b")
_heard: ContextVar[list[str] | None] = ContextVar("heard", default=None)
"""What the library said of the delivery that is under way in this context: it goes no further than this module."""


class AppriseNotifier:
    """Sends to every channel: `channels` are Apprise URLs by the channel's name."""

    def __init__(self, channels: Mapping[str, Secret]) -> None:
        self._channels = dict(channels)

    async def send(self, subject: str, text: str, channels: Sequence[str] = ()) -> Mapping[str, str]:
        """Send to these channels, or to all, side by side, each for half a minute at most.

        For each why it failed, in words without its URL; empty when it was delivered. Never raises.
        """
        names = list(dict.fromkeys(channels)) or list(self._channels)
        answers = await asyncio.gather(*(self._deliver(name, subject, text) for name in names))
        return dict(zip(names, answers, strict=True))

    async def _deliver(self, name: str, subject: str, text: str) -> str:
        url = self._channels.get(name)
        if url is None:
            return "the plan names no such channel"
        try:
            async with asyncio.timeout(_TIMEOUT_S):
                return await asyncio.to_thread(_send, url.reveal(), subject, text)
        except TimeoutError:
            return f"no answer within {_TIMEOUT_S:g} s"
        except Exception:  # a channel's own code is anybody's, and what it raises may quote the URL
            return _BROKEN


class _Listener(logging.Filter):
    """Keeps what the library says for the delivery that it is said of, and lets nothing pass."""

    def filter(self, record: logging.LogRecord) -> bool:
        """Never: the record may quote a URL."""
        heard = _heard.get()
        if heard is not None:
            heard.append(_words(record))
        return False


_LISTENER = _Listener()


def _words(record: logging.LogRecord) -> str:
    """What a record says; as it was written where it cannot be put together: that must not cost a delivery."""
    try:
        return record.getMessage()
    except (TypeError, ValueError):
        return str(record.msg)


def _send(url: str, subject: str, text: str) -> str:
    """Deliver one message; why it failed, empty when it did not. Runs in a thread."""
    _listen()
    import apprise  # half a second that only who notifies pays

    heard: list[str] = []
    token = _heard.set(heard)
    try:
        channel = apprise.Apprise()
        if not channel.add(url):
            return _NO_ADDRESS
        return "" if channel.notify(title=subject, body=text) else _reason(heard)
    finally:
        _heard.reset(token)


def _listen() -> None:
    """Hear the library at its most talkative, in place of whoever else would."""
    log = logging.getLogger("apprise")
    log.addFilter(_LISTENER)  # once: a logger holds a filter only once
    log.setLevel(logging.DEBUG)
    # The HTTP library under it names paths, which for most services are the secret.
    logging.getLogger("urllib3").setLevel(logging.CRITICAL + 1)


def _reason(heard: Sequence[str]) -> str:
    """Why a delivery failed, from what the library said of it: a status, a kind of failure, never its words."""
    said = "\n".join(heard)
    status = _STATUS.search(said)
    if status is not None:
        return f"{_REFUSED} (HTTP {status['status']})"
    if "timed out" in said.lower():
        return "no answer in time"
    if "onnection error" in said.lower():
        return "it cannot be reached"
    return _REFUSED
