"""What the events about a shared record do to the state: lost, regained, waived; a branch beside it."""

from dataclasses import replace

from msgspec import structs

from console.domain import payload
from console.domain.events import Event
from console.domain.state import Apart, NoteState
from console.domain.working import Working


def lost(work: Working, event: Event) -> None:
    """What is recorded from here on waits for the shared record."""
    work.run = structs.replace(work.run, apart=Apart(event.at, payload.text(event.data, "reason")))


def regained(work: Working, event: Event) -> None:
    """The epoch is confirmed, and everything that waited is sent."""
    work.run = structs.replace(work.run, apart=None)


def waived(work: Working, event: Event) -> None:
    """A person says that nobody else drives."""
    if work.run.apart is not None:
        reason = payload.text(event.data, "reason", event.actor)
        work.run = structs.replace(work.run, apart=replace(work.run.apart, waived=reason))


def branch_attached(work: Working, event: Event) -> None:
    """Somebody who was taken over from had recorded more: it is kept beside the record, and named in it."""
    actor, count = payload.text(event.data, "actor"), int(payload.number(event.data, "events"))
    first, epoch = int(payload.number(event.data, "first")), int(payload.number(event.data, "epoch"))
    text = (
        f"{actor} had recorded {count} more events apart from this record (epoch {epoch}, from number {first} on); "
        "they are kept beside it."
    )
    work.add_note(NoteState(event.at, event.actor, text))
