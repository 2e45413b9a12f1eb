"""Actions that only look: they change nothing, so after a crash there is nothing of theirs to be found."""

from console.domain.outcome import NotDone, Probe
from console.ports import Context


class ReadOnly:
    """The part of an action that is the same for all that only read."""

    destructive = False

    async def probe(self, ctx: Context) -> Probe:
        """Not done, and harmless to do again."""
        return NotDone("This step only reads; it is simply done again.")
