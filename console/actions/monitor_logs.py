"""The services' logs, every line of them, for a whole window."""

from collections import Counter
from dataclasses import dataclass, field
from datetime import datetime

from console.actions.log_reading import LogReading
from console.actions.production import in_production
from console.actions.provider_time import ProviderTime
from console.actions.schema_errors import is_schema_error, plain
from console.actions.watching import watch
from console.actions.window_monitor import BREACH_REMEDY, WindowMonitor, window_evidence
from console.actions.wording import at, counted, lasting, listed
from console.domain.hosting import LogEntry
from console.domain.outcome import Evidence, Line, Tone
from console.domain.plan import Json
from console.errors import StepFailed
from console.ports import Context, Hosting, Report, Telemetry


@dataclass(slots=True)
class _Lines:
    """The log lines of a window so far."""

    by_service: Counter[str] = field(default_factory=Counter)
    errors: int = 0
    last_errors: list[LogEntry] = field(default_factory=list)


class MonitorLogs(WindowMonitor):
    """`monitor.logs`: every line of the services' logs for the whole window.

    Evidence: the window's (`console.actions.watching.Window`), `lines` ({service: n}), `error_lines`.
    A breach: a schema error. Not enough to say: a service was not heard.
    """

    what = "the services' logs"

    def __init__(self, hosting: Hosting, telemetry: Telemetry) -> None:
        super().__init__(hosting)
        self._telemetry = telemetry

    def limits(self, ctx: Context) -> list[tuple[str, str]]:
        """No schema error; every service heard."""
        return [("schema errors", "none"), ("services heard", "every one")]

    async def perform(self, ctx: Context, report: Report) -> Evidence:
        """Read the log as it grows. Raises StepFailed with the line on a schema error."""
        services = ctx.plan.services_in("production")
        names = {service.id: service.name for service in services}
        heard = _Lines()
        with in_production(ctx, BREACH_REMEDY):
            provider = await ProviderTime.measured(self.hosting, ctx.clock)
            reading = LogReading(self._telemetry, list(names), provider.now())

            async def look(start: datetime, now: datetime) -> tuple[dict[str, Json], str]:
                lines = await reading.read(now)
                _raise_on_schema_error(lines, names)
                heard.by_service.update(entry.service for entry in lines)
                failed = [entry for entry in lines if entry.kind == "app" and entry.level == "error"]
                heard.errors += len(failed)
                heard.last_errors = [*heard.last_errors, *failed][-10:]
                total = sum(heard.by_service.values())
                text = f"{counted(total, 'line')}, {counted(heard.errors, 'error line')}"
                return {"lines": total, "error_lines": heard.errors}, text

            def enough() -> str:
                silent = [name for service_id, name in names.items() if not heard.by_service[service_id]]
                return f"{listed(silent)} not heard" if silent else ""

            window = await watch(ctx, report, provider, look, enough=enough)
        total = sum(heard.by_service.values())
        errors = tuple(Line(plain(e.text), note=names.get(e.service, ""), tone=Tone.WARNING) for e in heard.last_errors)
        data: dict[str, Json] = {
            "lines": {service.key: heard.by_service[service.id] for service in services},
            "error_lines": heard.errors,
        }
        summary = f"{counted(total, 'line')} in {lasting(window.seconds)}, no schema error"
        return window_evidence(f"{summary}, {counted(heard.errors, 'error line')}", window, data, errors)


def _raise_on_schema_error(lines: list[LogEntry], names: dict[str, str]) -> None:
    errors = [entry for entry in lines if is_schema_error(entry)]
    if errors:
        raise StepFailed(
            f"{counted(len(errors), 'schema error')} in the logs: {plain(errors[0].text)}",
            lines=tuple(f"{at(e.at)} {names.get(e.service, e.service)}: {plain(e.text)}" for e in errors[:10]),
        )
