"""The events of a run as lines on standard output: for machines, or for people."""

from collections.abc import Callable

from console.cli.exits import json_line
from console.domain.events import Event
from console.domain.wire import encode, format_time
from console.ports import StateChanged, Update
from console.report.event_lines import event_line


def event_json(event: Event) -> str:
    """An event as one line of JSON: the journal's keys without the chain."""
    line = {
        "seq": event.seq,
        "at": format_time(event.at),
        "run": event.run,
        "actor": event.actor,
        "kind": event.kind.value,
        "step": event.step,
        "data": encode(event.data),
    }
    return json_line(line)


def event_texts(update: StateChanged, *, as_json: bool) -> list[str]:
    """The events of an update, a line each."""
    return [event_json(event) if as_json else event_line(update.state.plan, event) for event in update.events]


def printer(*, as_json: bool) -> Callable[[Update], None]:
    """A listener that prints every event as it becomes durable."""

    def hear(update: Update) -> None:
        if isinstance(update, StateChanged):
            for line in event_texts(update, as_json=as_json):
                print(line, flush=True)

    return hear
