"""Watching for a whole window: samples at intervals until the window is over and holds enough of them.

The window is planned time, so a rehearsal's pace divides it; but it lasts at least five wall seconds and until it
holds its minimum of samples. A sample that the provider does not give is missed, not invented; when too many are,
the verdict is that there is not enough to say.
"""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from datetime import datetime

from console.actions.provider_time import ProviderTime
from console.actions.wording import lasting
from console.domain.outcome import Progress
from console.domain.plan import Json
from console.errors import ServiceError, StepFailed, Stopped
from console.ports import Context, Report

LEAST_SECONDS = 5.0
_LEAST_INTERVAL = 1.0
_OVERTIME = 0.5
_SLOWEST_SAMPLE = 20.0
"""Wall seconds: a request that hangs until its time-out, and its repetition. A window gets its samples all the same."""
_MOST_KEPT = 120


@dataclass(frozen=True, slots=True)
class Watched:
    """One sample: wall seconds into the window, its numbers by name, and how a person reads it."""

    at: float
    numbers: dict[str, Json]
    text: str


Look = Callable[[datetime, datetime], Awaitable[tuple[dict[str, Json], str]]]
"""Takes one sample of the window from its start to now (the provider's time). Raises StepFailed on a breach."""


@dataclass(frozen=True, slots=True)
class Window:
    """A window that was watched to its end."""

    started: datetime
    ended: datetime
    seconds: float
    samples: tuple[Watched, ...]
    missed: int

    def data(self) -> dict[str, Json]:
        """As evidence holds it; `samples` are thinned out to at most 120."""
        step = max(1, -(-len(self.samples) // _MOST_KEPT))
        kept: list[Json] = [{"at": round(each.at, 2), **each.numbers} for each in self.samples[::step]]
        return {
            "from": self.started.isoformat(),
            "to": self.ended.isoformat(),
            "seconds": round(self.seconds, 2),
            "count": len(self.samples),
            "missed": self.missed,
            "samples": kept,
        }


def length(ctx: Context) -> float:
    """Wall seconds that a window lasts at least."""
    return max(ctx.plan.thresholds.window / ctx.clock.pace, LEAST_SECONDS)


async def watch(
    ctx: Context, report: Report, provider: ProviderTime, look: Look, *, enough: Callable[[], str] = lambda: ""
) -> Window:
    """Sample until the window is over. `enough` says what is still missing (empty: nothing).

    Raises StepFailed on a breach (from `look`), and when the window has run long over and still has not enough.
    """
    thresholds = ctx.plan.thresholds
    whole = length(ctx)
    interval = max(thresholds.sample_interval / ctx.clock.pace, _LEAST_INTERVAL)
    limit = whole + max(whole * _OVERTIME, thresholds.minimum_samples * _SLOWEST_SAMPLE)
    began, started = ctx.clock.monotonic(), provider.now()
    samples: list[Watched] = []
    missed, last_error, elapsed = 0, "", 0.0
    while True:
        if ctx.stopping():
            raise Stopped("Watching was stopped before the window was over; nothing was changed.")
        try:
            numbers, text = await look(started, provider.now())
            samples.append(Watched(elapsed, numbers, text))
        except ServiceError as error:
            missed, last_error, text = missed + 1, error.message, f"no sample: {error.message}"
        lacking = _lacking(samples, thresholds.minimum_samples) or enough()
        if elapsed >= whole and not lacking:
            return Window(started, provider.now(), elapsed, tuple(samples), missed)
        if elapsed >= limit:
            raise _not_enough(lacking, elapsed, missed, last_error)
        over = f", waiting: {lacking}" if elapsed >= whole else ""
        await report(Progress(f"{text}{over}", share=min(elapsed / whole, 0.99)))
        await ctx.clock.sleep(min(interval, max(whole - elapsed, 0.0)) or interval)
        elapsed = ctx.clock.monotonic() - began


def table(samples: Sequence[Watched], most: int = 12) -> list[tuple[float, str]]:
    """Some samples spread over the window, for the step's detail."""
    step = max(1, -(-len(samples) // most))
    return [(each.at, each.text) for each in samples[::step]]


def _lacking(samples: Sequence[Watched], minimum: int) -> str:
    return f"{len(samples)} of {minimum} samples" if len(samples) < minimum else ""


def _not_enough(lacking: str, elapsed: float, missed: int, last_error: str) -> StepFailed:
    return StepFailed(
        f"Not enough to say after {lasting(elapsed)}: {lacking}.",
        remedy="See that the provider answers and the services are used, then retry: a new window begins.",
        lines=(f"{missed} samples were missed; last: {last_error}",) if missed else (),
    )
