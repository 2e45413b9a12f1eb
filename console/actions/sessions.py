"""The database's sessions as monitoring counts them: the console's own left out."""

from collections.abc import Sequence

from console.actions.schema_errors import plain
from console.domain.databases import Backend


def others(backends: Sequence[Backend]) -> list[Backend]:
    """The sessions that are not the console's own."""
    return [backend for backend in backends if not backend.application.startswith("rc/")]


def longest(backends: Sequence[Backend]) -> float:
    """Seconds of the longest running query; 0 when none runs."""
    return max((backend.query_seconds for backend in backends if backend.state == "active"), default=0.0)


def session_text(backend: Backend) -> str:
    """A session on one line: who, since when, what it waits for, its query."""
    who = backend.application or backend.user
    waits = f", waits for {', '.join(map(str, backend.waits_for))}" if backend.waits_for else ""
    return f"pid {backend.pid} ({who}, {backend.query_seconds:.1f} s{waits}): {plain(backend.query)}"
