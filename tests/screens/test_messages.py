"""Words to the stakeholders: edited before they are sent, sent again where they did not arrive, never in the way."""

from dataclasses import replace

from textual.widgets import Button, Input, TextArea

from console.domain import intents
from screens.app import ConsoleApp
from screens.dialogs.message import MessageDialog
from screens.messages import MessagesScreen
from screens.widgets.browser import Browser
from screens.widgets.incident import StandingPane
from screens.widgets.keybar import KeyBar
from screens.widgets.sheet import Sheet
from tests.screens.driving import press, typed
from tests.screens.fakes import FakeHelm, app_for
from tests.screens.incidents import INCIDENTS, declared
from tests.screens.moments import Moment

SIZE = (120, 36)


def at(name: str) -> Moment:
    return replace(INCIDENTS[name](), keys=())


def body_of(app: ConsoleApp) -> str:
    return "\n".join(line.plain for line in app.screen.query(".item").first(Sheet).lines)


def list_of(app: ConsoleApp) -> str:
    return "\n".join(line.plain for line in app.screen.query(".list").first(Sheet).lines)


def label_of(app: ConsoleApp, key: str) -> str:
    return next((e.label for e in app.screen.query_one(KeyBar).entries if e.key == key), "")


async def test_what_waits_is_said_everywhere_and_holds_nothing_up() -> None:
    app, _ = app_for(at("incident-assessed"))
    async with app.run_test(size=SIZE) as pilot:
        await pilot.pause()
        assert label_of(app, "m") == "messages (1 to send)"
        await press(pilot, "i")
        assert "1 message waits" in "\n".join(line.plain for line in app.screen.query_one(StandingPane).lines)


async def test_a_draft_is_edited_and_sent() -> None:
    helm = FakeHelm()
    app, _ = app_for(at("incident-assessed"), helm)
    async with app.run_test(size=SIZE) as pilot:
        await press(pilot, "m")
        assert "to send" in list_of(app)
        assert "Goes to chat, mail" in body_of(app)
        await press(pilot, "enter")
        dialog = app.screen
        assert isinstance(dialog, MessageDialog)
        assert app.focused is dialog.query_one("#safe", Button)
        dialog.query_one("#subject", Input).value = "Incident"
        text = dialog.query_one("#text", TextArea)
        text.focus()
        text.select_all()
        await typed(pilot, "wait")
        await press(pilot, "ctrl+s")
        assert helm.sent == [intents.SendMessage("declared:1", "Incident", "wait")]


async def test_enter_alone_sends_nothing() -> None:
    helm = FakeHelm()
    app, _ = app_for(at("incident-assessed"), helm)
    async with app.run_test(size=SIZE) as pilot:
        await press(pilot, "m", "enter", "enter")
        assert isinstance(app.screen, MessagesScreen)
        assert helm.sent == []


async def test_a_message_without_a_text_is_not_sent() -> None:
    helm = FakeHelm()
    app, _ = app_for(at("incident-assessed"), helm)
    async with app.run_test(size=SIZE) as pilot:
        await press(pilot, "m", "enter")
        app.screen.query_one("#text", TextArea).text = "  "
        await press(pilot, "ctrl+s")
        assert "needs a text" in str(app.screen.query_one("#refusal").render())
        assert helm.sent == []


async def test_each_channel_says_what_became_of_it_and_the_failed_ones_can_be_tried_again() -> None:
    helm = FakeHelm()
    moment = at("messages")
    app, _ = app_for(moment, helm)
    async with app.run_test(size=SIZE) as pilot:
        await press(pilot, "m")
        assert app.screen.query_one(Browser).chosen == "declared:1", "what did not arrive comes first"
        assert "chat  ✔ delivered" in body_of(app)
        assert "mail  ✗ not delivered: the server did not answer within 10 s" in body_of(app)
        assert label_of(app, "⏎") == "send again"
        await press(pilot, "enter", "right", "enter")
        message = moment.state.messages["declared:1"]
        assert helm.sent == [intents.SendMessage("declared:1", message.subject, message.text.strip())]


async def test_a_draft_is_dropped_with_a_reason() -> None:
    helm = FakeHelm()
    app, _ = app_for(at("messages"), helm)
    async with app.run_test(size=SIZE) as pilot:
        await press(pilot, "m", "x")
        assert isinstance(app.screen, MessagesScreen), "what was sent cannot be dropped"
        await press(pilot, "down", "x")
        await typed(pilot, "called")
        await press(pilot, "enter", "right", "enter")
        assert helm.sent == [intents.DropMessage("chosen:1", "called")]


async def test_without_channels_the_text_is_copied_and_recorded_as_sent_by_hand() -> None:
    helm = FakeHelm()
    story = declared(channels=False)
    app, _ = app_for(Moment(story.state, story.now), helm)
    async with app.run_test(size=SIZE) as pilot:
        await press(pilot, "m")
        assert "The plan names no channel" in body_of(app)
        await press(pilot, "y")
        message = story.state.messages["declared:1"]
        assert app.clipboard == f"{message.subject}\n\n{message.text}"
        await press(pilot, "enter")
        assert str(app.screen.query_one("#yes", Button).label) == "I have sent it by hand"
        await press(pilot, "right", "enter")
        assert helm.sent == [intents.SendMessage("declared:1", message.subject, message.text)]


async def test_an_observer_reads_and_copies_but_sends_nothing() -> None:
    app, _ = app_for(at("messages"), driving=False)
    async with app.run_test(size=SIZE) as pilot:
        await press(pilot, "m", "enter", "x")
        assert isinstance(app.screen, MessagesScreen)
        assert label_of(app, "⏎") == ""
        assert label_of(app, "y") == "copy the text"
