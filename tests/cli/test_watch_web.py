"""`release-console watch --web` without a browser: who is let in, what passes, and that nothing is left behind."""

import asyncio
import json
import logging
import signal
import socket
import struct
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
from aiohttp import ClientSession, WSServerHandshakeError, web
from yarl import URL

from console.cli.commands import parser
from console.cli.web import server as server_module
from console.cli.web.server import WatchServer, _hear
from console.cli.web.serving import _remarks_without, watch_in_browser
from console.cli.web.viewer import Viewer, _last_words, _packet
from console.engine.journal import FileJournal
from console.errors import ConfigError, ConsoleError
from tests.cli.web_serving import closed, gone, looking, seen, serving
from tests.engine.following import CREATED, RUN, create

TOKEN = "t" * 43


@pytest.fixture
async def state(tmp_path: Path) -> AsyncIterator[Path]:
    """Where a run is kept that is driven here."""
    journal: FileJournal = create(tmp_path / "state" / "runs")
    await journal.append(CREATED, at=datetime.now(UTC), actor="ops@laptop")
    yield tmp_path / "state"
    await journal.close()


@pytest.fixture
async def address(state: Path) -> AsyncIterator[str]:
    """The address of a server in this process."""
    application = await WatchServer(RUN, (RUN, "--directory", str(state)), TOKEN).application()
    runner = web.AppRunner(application, access_log=None)
    await runner.setup()
    try:
        with socket.create_server(("127.0.0.1", 0)) as listening:
            await web.SockSite(runner, listening).start()
            yield f"http://127.0.0.1:{listening.getsockname()[1]}/{TOKEN}/"
            await runner.cleanup()
    finally:
        await runner.cleanup()


class TestTheGate:
    @pytest.mark.parametrize(
        ("method", "path", "headers"),
        [
            ("GET", "/", {}),
            ("GET", "/ws", {}),
            ("GET", "/static/js/textual.js", {}),
            ("GET", f"/{TOKEN[::-1][:-1]}x/", {}),
            ("GET", f"/{TOKEN[:-1]}/", {}),
            ("GET", f"/{TOKEN}t/", {}),
            ("GET", f"/{TOKEN}", {}),
            ("GET", f"//{TOKEN}/", {}),
            ("GET", f"/{TOKEN}/static/", {}),
            ("GET", f"/{TOKEN}/static/../../server.py", {}),
            ("GET", f"/{TOKEN}/static/%2e%2e/%2e%2e/server.py", {}),
            ("GET", f"/{TOKEN}/static/index.html", {}),
            ("GET", f"/{TOKEN}/download/key", {}),
            ("POST", f"/{TOKEN}/", {}),
            ("DELETE", f"/{TOKEN}/", {}),
            ("GET", f"/{TOKEN}/", {"Host": "watch.example:80"}),
            ("GET", f"/{TOKEN}/", {"Host": "127.0.0.1.example"}),
            ("GET", f"/{TOKEN}/", {"Origin": "http://localhost:3000"}),
            ("GET", f"/{TOKEN}/", {"Origin": "null"}),
            ("GET", f"/{TOKEN}/ws", {"Upgrade": "websocket", "Connection": "Upgrade"}),
        ],
    )
    async def test_whatever_is_not_let_in_or_not_there_finds_the_same_nothing(
        self, address: str, method: str, path: str, headers: dict[str, str]
    ) -> None:
        url = URL(address.removesuffix(f"/{TOKEN}/") + path, encoded=True)
        async with ClientSession() as session, session.request(method, url, headers=headers) as answer:
            assert (answer.status, await answer.text()) == (404, "Nothing here.\n")

    async def test_a_page_of_another_server_on_this_machine_opens_no_websocket(self, address: str) -> None:
        async with ClientSession() as session:
            with pytest.raises(WSServerHandshakeError, match="404"):
                await session.ws_connect(f"{address}ws", origin="http://localhost:3000")

    @pytest.mark.parametrize("path", ["", "static/js/textual.js", "static/watch.css", "nothing"])
    async def test_no_answer_is_kept_framed_or_tells_where_it_came_from(self, address: str, path: str) -> None:
        async with ClientSession() as session, session.get(address + path) as answer:
            assert answer.headers["Cache-Control"] == "no-store"
            assert answer.headers["Referrer-Policy"] == "no-referrer"
            assert answer.headers["X-Frame-Options"] == "DENY"
            policy = answer.headers["Content-Security-Policy"].split("; ")
            assert {"default-src 'none'", "script-src 'self'", "frame-ancestors 'none'"} <= set(policy)
            assert "sandbox allow-scripts allow-same-origin" in policy, "and no pop-ups, downloads or forms"
            assert "aiohttp" not in answer.headers["Server"]

    async def test_the_page_is_made_of_nothing_from_elsewhere(self, address: str) -> None:
        async with ClientSession() as session, session.get(address) as answer:
            page = await answer.text()
            assert answer.status == 200
        assert RUN in page
        assert "://" not in page
        assert TOKEN not in page

    async def test_a_tunnel_has_a_port_of_its_own(self, address: str) -> None:
        headers = {"Host": "localhost:9000", "Origin": "http://localhost:9000"}
        async with ClientSession() as session, session.get(address, headers=headers) as answer:
            assert answer.status == 200
            assert "ws://localhost:9000" in answer.headers["Content-Security-Policy"]


class TestViewers:
    @pytest.mark.parametrize(
        "nonsense", ['["resize", {"width": "wide"}]', '["stdin", 1]', '["stdin", "\\ud800"]', '["quit"]', "{}", "1"]
    )
    async def test_what_a_page_never_says_is_not_heard(self, nonsense: str) -> None:
        browser = web.WebSocketResponse()
        with pytest.raises(ValueError, match=r"the page never says this|surrogates"):
            await _hear(json.loads(nonsense), browser, Viewer((), browser))

    async def test_it_closes_whoever_says_it(self, address: str) -> None:
        async with looking(address) as page:
            await page.send_str("no json")
            assert await closed(page) == 1003

    async def test_one_too_many_is_told_so(self, address: str, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(server_module, "MOST_VIEWERS", 1)
        async with looking(address) as first:
            await seen(first, "Watching")
            async with looking(address) as second:
                await seen(second, "1 browsers watch already")
                assert await closed(second) == 1013
            async with ClientSession() as session, session.get(address) as answer:
                assert answer.status == 503
                assert f"1 browsers watch {RUN} already" in await answer.text()
            await first.send_json(["ping", "12"])
            assert not first.closed

    async def test_a_run_that_cannot_be_read_says_why(self, state: Path, address: str) -> None:
        (state / "runs" / RUN / "plan.json").unlink()
        async with looking(address) as page:
            await seen(page, "cannot be read")
            await closed(page)

    async def test_only_what_is_drawn_passes(self) -> None:
        stdout = asyncio.StreamReader()
        for kind, payload in ((b"M", b'{"type":"open_url","url":"x"}'), (b"P", b"file"), (b"D", b"drawn"), (b"M", b"")):
            stdout.feed_data(kind + struct.pack(">I", len(payload)) + payload)
        stdout.feed_eof()
        assert await _packet(stdout) == b"drawn"
        assert await _packet(stdout) is None

    async def test_more_than_any_screen_at_once_is_refused(self) -> None:
        stdout = asyncio.StreamReader()
        stdout.feed_data(b"D\xff\xff\xff\xff")
        with pytest.raises(ValueError, match="4,294,967,295 bytes"):
            await _packet(stdout)

    async def test_the_last_words_are_bounded(self) -> None:
        stderr = asyncio.StreamReader()
        stderr.feed_data(b"".join(b"line %d\n" % number for number in range(1000)) + b"the end")
        stderr.feed_eof()
        words = (await _last_words(stderr)).splitlines()
        assert words[0] == "line 960"
        assert words[-1] == "the end"


class TestProcesses:
    async def test_each_browser_has_a_viewer_of_the_run_and_an_interrupt_leaves_none(
        self, state: Path, tmp_path: Path
    ) -> None:
        async with serving(state, tmp_path / "home") as served:
            create(state / "later").directory.rename(state / "runs" / "20990101-000000-ffff")
            async with looking(served.address) as stays:
                await seen(stays, "WATCHING")
                (kept,) = served.viewers()
                async with looking(served.address) as quits, looking(served.address) as leaves:
                    await asyncio.gather(*(seen(page, "WATCHING") for page in (quits, leaves)))
                    viewers = served.viewers()
                    assert len(viewers) == 3
                    for process in (*viewers, served.process.pid):
                        arguments = Path(f"/proc/{process}/cmdline").read_text()
                        assert served.token not in arguments + Path(f"/proc/{process}/environ").read_text()
                        assert process == served.process.pid or f"watch\0{RUN}\0" in arguments, "and not `last` anew"
                    await quits.send_json(["stdin", "q"])
                    await seen(quits, f"Run {RUN} is open.")
                    await closed(quits)
                for viewer in set(viewers) - {kept}:
                    await gone(viewer)
                assert served.viewers() == [kept]
                ended = asyncio.create_task(closed(stays))
                assert await served.end() == 0
                assert await ended == 1001
            await gone(kept)
        assert list((tmp_path / "home").iterdir()) == []

    async def test_viewers_end_with_a_server_that_is_killed(self, state: Path, tmp_path: Path) -> None:
        async with serving(state, tmp_path / "home") as served, looking(served.address) as page:
            await seen(page, "WATCHING")
            (viewer,) = served.viewers()
            assert await served.end(signal.SIGKILL) == -signal.SIGKILL
            await gone(viewer)


class TestTheCommand:
    @pytest.mark.parametrize("arguments", [("--web", "--json"), ("--web", "--port", "0"), ("--web", "--port", "http")])
    def test_options_that_mean_nothing_together_are_refused(self, arguments: tuple[str, ...]) -> None:
        with pytest.raises(SystemExit, match="2"):
            parser().parse_args(["watch", *arguments])

    def test_a_port_without_a_browser_is_refused(self) -> None:
        arguments = parser().parse_args(["watch", "--port", "8000"])
        with pytest.raises(ConfigError, match="--port is the port of --web"):
            arguments.run(arguments)

    def test_a_port_that_is_taken_is_an_error_with_a_way_on(self) -> None:
        with socket.create_server(("127.0.0.1", 0)) as taken:
            port = taken.getsockname()[1]
            with pytest.raises(ConsoleError, match=f"Port {port} of 127.0.0.1 cannot be had: ") as raised:
                watch_in_browser(RUN, (), port)
        assert "Name another with --port N" in raised.value.remedy

    def test_what_the_server_remarks_does_not_name_the_address(self, capsys: pytest.CaptureFixture[str]) -> None:
        with _remarks_without(TOKEN):
            logging.getLogger("aiohttp.server").warning("what was asked for was %s", f"/{TOKEN}/ws")
        remarked = capsys.readouterr().err
        assert "what was asked for was /" in remarked
        assert TOKEN not in remarked
