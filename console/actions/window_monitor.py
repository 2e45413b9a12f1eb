"""What the monitors share: they only read, and their proof is a window watched to its end."""

from console.actions.handover import Record
from console.actions.production import in_production
from console.actions.watching import Window, length, table
from console.actions.wording import lasting
from console.domain.outcome import Evidence, Fact, Line, NotDone, Preview, Probe, Reading, Section, Tone
from console.domain.plan import Json
from console.errors import VerificationFailed
from console.ports import Context, Hosting

BREACH_REMEDY = "Look at it now. Retry begins a new window; declare an incident to roll back."


class WindowMonitor:
    """What the four monitors share: they only read, and their proof is a window watched to its end."""

    destructive = False
    what = ""

    def __init__(self, hosting: Hosting) -> None:
        self.hosting = hosting

    async def preview(self, ctx: Context) -> Preview:
        """What is watched, for how long, and what counts as a breach."""
        thresholds = ctx.plan.thresholds
        return Preview(
            summary=f"Watch {self.what} for {lasting(length(ctx))}",
            facts=tuple(Fact(label, value) for label, value in self.limits(ctx)),
            readings=(Reading("samples at least", str(thresholds.minimum_samples)),),
            consequences=(Line("Reads only.", tone=Tone.GOOD),),
        )

    def limits(self, ctx: Context) -> list[tuple[str, str]]:
        """The thresholds that concern this monitor, label and value."""
        raise NotImplementedError

    async def probe(self, ctx: Context) -> Probe:
        """A window that was interrupted proves nothing."""
        return NotDone("The window was interrupted and proves nothing; it begins anew.")

    async def verify(self, ctx: Context, evidence: Evidence) -> None:
        """The window was watched to its end, with enough samples."""
        record = Record(f"“{ctx.step.title}”", evidence.data)
        with in_production(ctx, "Retry: a new window begins."):
            if "seconds" not in record:
                raise VerificationFailed("The console has watched no window of its own.")
            if record.number("seconds") < length(ctx) or record.number("count") < ctx.plan.thresholds.minimum_samples:
                raise VerificationFailed(
                    f"The window was {lasting(record.number('seconds'))} with {record.number('count'):.0f} samples; "
                    f"{lasting(length(ctx))} with {ctx.plan.thresholds.minimum_samples} are needed."
                )


def window_evidence(summary: str, window: Window, data: dict[str, Json], lines: tuple[Line, ...]) -> Evidence:
    """Evidence of a window: what was found (`data`, `lines`), beside the window's own numbers and samples."""
    samples = tuple(Line(text, note=f"after {lasting(when)}") for when, text in table(window.samples))
    sections = (Section("At the end", lines), Section("Samples", samples))
    return Evidence(summary, {**window.data(), **data}, tuple(section for section in sections if section.lines))
