"""The `Notifier` port over Apprise: words to the stakeholders, each channel on its own, none able to stop a run.

A channel's URL is a secret: it is named by the plan's name for it and appears nowhere else.
"""

import asyncio
import logging
from collections.abc import Mapping

from console.secrets import Secret

_TIMEOUT_S = 30.0


class AppriseNotifier:
    """Sends to every channel: `channels` are Apprise URLs by the channel's name."""

    def __init__(self, channels: Mapping[str, Secret]) -> None:
        self._channels = dict(channels)

    async def send(self, subject: str, text: str) -> tuple[str, ...]:
        """Send to every channel, side by side; the names of those that failed or took longer than half a minute."""
        names = list(self._channels)
        delivered = await asyncio.gather(*(self._deliver(name, subject, text) for name in names))
        return tuple(name for name, ok in zip(names, delivered, strict=True) if not ok)

    async def _deliver(self, name: str, subject: str, text: str) -> bool:
        try:
            async with asyncio.timeout(_TIMEOUT_S):
                return await asyncio.to_thread(_send, self._channels[name].reveal(), subject, text)
        except Exception:  # a channel's own code is anybody's, and what it raises may quote the URL
            return False


def _send(url: str, subject: str, text: str) -> bool:
    import apprise  # half a second that only who notifies pays

    # Its log lines quote the URLs; whether a channel failed is what it returns.
    logging.getLogger("apprise").setLevel(logging.CRITICAL + 1)
    channel = apprise.Apprise()
    if not channel.add(url):
        return False
    return bool(channel.notify(title=subject, body=text))
