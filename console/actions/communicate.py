"""Words and papers: who was told what, and what the record says of the incident.

What always holds: a message that did not arrive, or waits to be sent, is said and fails nothing; the papers are whole
or as they were before, and can be read by their owner alone.
"""

import asyncio
import hashlib
import os
import stat
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from console.actions.handover import Record, moment_text
from console.actions.production import in_production
from console.actions.read_only import ReadOnly
from console.actions.wording import at, counted, listed, size
from console.domain.incident import MessageState
from console.domain.outcome import Evidence, Fact, Line, NotDone, Preview, Probe, Progress, Section, Tone
from console.domain.plan import Json
from console.domain.state import RunState
from console.errors import StepFailed, VerificationFailed
from console.ports import Action, Context, Documents, Report

if TYPE_CHECKING:
    from console.actions.registry import Ports

_REMEDY = "Free some space, or see who owns the run's folder, then retry."


class CommunicateStakeholders(ReadOnly):
    """`communicate.stakeholders`: who was told what, on which channel, when, and what did not arrive.

    Evidence: `messages` (a list: `message`, `turn`, `subject`, `channels` {name: `at`, `error`}, `dropped`), `sent`,
    `undelivered`, `waiting` (how many messages).
    """

    async def preview(self, ctx: Context) -> Preview:
        """How many messages there are, and where the plan sends them."""
        return Preview(
            "State who was told what, and what did not arrive",
            facts=(Fact("channels", listed(each.name for each in ctx.plan.channels)),),
            consequences=(Line("Reads only: messages are sent by people, when they have read them.", tone=Tone.GOOD),),
        )

    async def perform(self, ctx: Context, report: Report) -> Evidence:
        """State it. Never fails for a message."""
        messages = tuple(ctx.state.messages.values())
        named = [each.name for each in ctx.plan.channels]
        return Evidence(
            _told(ctx.state),
            {
                "messages": [_as_json(each) for each in messages],
                "sent": sum(1 for each in messages if each.deliveries and not _missed(each, named)),
                "undelivered": sum(1 for each in messages if _missed(each, named)),
                "waiting": sum(1 for each in messages if each.waits),
            },
            tuple(Section(each.subject, (*_lines(each), *_unheard_of(ctx.state, each))) for each in messages),
        )

    async def verify(self, ctx: Context, evidence: Evidence) -> None:
        """Nothing to be looked at: what was delivered is what the channels answered."""


class CommunicatePapers:
    """`communicate.papers`: incident summary and post-mortem, drafted from the record into the run's folder.

    Evidence: `files` {name: `path`, `size`, `sha256`}, `written_at`. Done again, they are written anew.
    """

    destructive = False

    def __init__(self, documents: Documents) -> None:
        self._documents = documents

    async def preview(self, ctx: Context) -> Preview:
        """Which files, and where."""
        names = list(self._documents(ctx.state, ctx.clock.now()))
        return Preview(
            f"Write {listed(names)} from the record of this run",
            facts=(Fact("folder", str(_folder(ctx))),),
            consequences=(Line("Drafts: what only people know is marked in them.", tone=Tone.GOOD),),
        )

    async def probe(self, ctx: Context) -> Probe:
        """Not done, and harmless to do again: the record has grown since."""
        return NotDone("The papers are simply written anew.")

    async def perform(self, ctx: Context, report: Report) -> Evidence:
        """Write them. Raises StepFailed when the disk refuses."""
        await report(Progress("drafting the incident summary and the post-mortem"))
        now = ctx.clock.now()
        papers = {name: text.encode() for name, text in self._documents(ctx.state, now).items()}
        with in_production(ctx, _REMEDY):
            try:
                await asyncio.to_thread(_write_all, _folder(ctx), papers)
            except OSError as error:
                raise StepFailed(
                    f"The papers could not be written to {_folder(ctx)}: {error.strerror or error}.", retry=True
                ) from error
        files: dict[str, Json] = {
            name: {"path": str(_folder(ctx) / name), "size": len(paper), "sha256": hashlib.sha256(paper).hexdigest()}
            for name, paper in papers.items()
        }
        lines = tuple(Line(str(_folder(ctx) / name), note=size(len(paper))) for name, paper in papers.items())
        later = Line(
            "`release-console report` prints them with what comes later", "--incident, --post-mortem", Tone.QUIET
        )
        return Evidence(
            f"{listed(papers)} drafted",
            {"files": files, "written_at": moment_text(now)},
            (Section("Papers", (*lines, later)),),
        )

    async def verify(self, ctx: Context, evidence: Evidence) -> None:
        """The files hold what was written, for their owner alone. Raises VerificationFailed."""
        files = Record(f"“{ctx.step.title}”", evidence.data).record("files")
        problems = [await asyncio.to_thread(_problem, files.record(name)) for name in files.data]
        found = tuple(filter(None, problems))
        if found:
            raise VerificationFailed(
                "The papers are not as they were written.", lines=found, remedy=_REMEDY, retry=True
            )


def communicate_actions(ports: "Ports") -> dict[str, Action]:
    """The actions of this family, by name."""
    return {
        "communicate.stakeholders": CommunicateStakeholders(),
        "communicate.papers": CommunicatePapers(ports.documents),
    }


def _told(state: RunState) -> str:
    """One sentence: how many messages arrived, did not everywhere, wait, were not sent."""
    messages = state.messages.values()
    if not messages:
        return "nobody was told: there was nothing to tell"
    named = [each.name for each in state.plan.channels]
    arrived = sum(1 for each in messages if each.deliveries and not _missed(each, named))
    lost = [(each, _missed(each, named)) for each in messages if _missed(each, named)]
    channels = dict.fromkeys(channel for _, missed in lost for channel in missed)
    parts = [f"{counted(arrived, 'message')} told everywhere"]
    parts += [f"{counted(len(lost), 'message')} did not arrive on {listed(channels)}"] if lost else []
    waiting = sum(1 for each in messages if each.waits)
    parts += [f"{counted(waiting, 'message')} still to be sent"] if waiting else []
    dropped = sum(1 for each in messages if each.dropped)
    return "; ".join([*parts, f"{dropped} not sent"] if dropped else parts)


def _missed(message: MessageState, channels: Sequence[str]) -> tuple[str, ...]:
    """The channels on which a message that was sent did not arrive, or of which it is not known."""
    return (*(each.channel for each in message.undelivered), *message.unheard_of(channels))


def _lines(message: MessageState) -> tuple[Line, ...]:
    if message.waits:
        drafted = f"drafted {at(message.at)}"
        return (Line("waits to be sent: nobody has been told this yet", note=drafted, tone=Tone.WARNING),)
    if message.dropped:
        return (Line(f"not sent: {message.dropped}", tone=Tone.QUIET),)
    return tuple(
        Line(f"{each.channel}: {each.error}", note=f"tried {at(each.at)}, not delivered", tone=Tone.WARNING)
        if each.error
        else Line(f"{each.channel}: told", note=at(each.at), tone=Tone.GOOD)
        for each in message.deliveries.values()
    )


def _unheard_of(state: RunState, message: MessageState) -> tuple[Line, ...]:
    """The channels of which a console that died while it sent left nothing on record."""
    channels = message.unheard_of(each.name for each in state.plan.channels)
    return tuple(Line(f"{each}: not known whether it was told", tone=Tone.WARNING) for each in channels)


def _as_json(message: MessageState) -> dict[str, Json]:
    return {
        "message": message.id,
        "turn": message.turn,
        "subject": message.subject,
        "channels": {
            each.channel: {"at": moment_text(each.at), "error": each.error} for each in message.deliveries.values()
        },
        "dropped": message.dropped,
    }


def _folder(ctx: Context) -> Path:
    """The run's folder: what lies in `artifacts` is deleted when the backup has been kept long enough."""
    return ctx.artifacts.parent


def _write_all(folder: Path, papers: Mapping[str, bytes]) -> None:
    for name, paper in papers.items():
        _write(folder / name, paper)


def _write(path: Path, content: bytes) -> None:
    """The whole file or the one from before, mode 0600. Raises OSError."""
    fresh = path.with_name(f".{path.name}.new")
    fresh.unlink(missing_ok=True)  # of a console that died here
    try:
        fd = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
        with os.fdopen(fd, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        fresh.replace(path)
    finally:
        fresh.unlink(missing_ok=True)


def _problem(file: Record) -> str:
    """What is wrong with a paper; empty when nothing is."""
    path = Path(file.text("path"))
    try:
        content, mode = path.read_bytes(), path.stat().st_mode
    except OSError as error:
        return f"{path}: {error.strerror or error}"
    if hashlib.sha256(content).hexdigest() != file.text("sha256"):
        return f"{path}: it holds something else"
    return f"{path}: others can read it" if stat.S_IMODE(mode) & 0o077 else ""
