"""Fetching an export: whole or not at all, private, and without a word of the signed link."""

import hashlib
import logging
import os
import stat
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from pathlib import Path

import httpx
import pytest

from console.adapters.render.download import Downloader
from console.domain.hosting import Export
from console.errors import HostingError, StepFailed
from tests.adapters.conftest import JumpClock, Reports

LINK = "https://storage.test/backup.dir.tar.gz?X-Signature=s1gned-secret"
EXPORT = Export("exp-1", datetime(2026, 2, 4, 20, tzinfo=UTC), LINK)
CONTENT = bytes(range(256)) * 20_000


class Stream(httpx.AsyncByteStream):
    """Chunks, and perhaps an error after them."""

    def __init__(self, *chunks: bytes, then: Exception | None = None) -> None:
        self._chunks = chunks
        self._then = then

    async def __aiter__(self) -> AsyncIterator[bytes]:
        for chunk in self._chunks:
            yield chunk
        if self._then is not None:
            raise self._then


def whole(request: httpx.Request) -> httpx.Response:
    chunks = [CONTENT[at : at + 65_536] for at in range(0, len(CONTENT), 65_536)]
    return httpx.Response(200, headers={"Content-Length": str(len(CONTENT))}, stream=Stream(*chunks))


def downloader(jump: JumpClock, answer: object) -> Downloader:
    return Downloader(jump, transport=httpx.MockTransport(answer))  # type: ignore[arg-type]


async def test_the_file_is_whole_private_and_hashed(
    jump: JumpClock, tmp_path: Path, reports: Reports, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    asked: list[httpx.Request] = []

    def answer(request: httpx.Request) -> httpx.Response:
        asked.append(request)
        return whole(request)

    target = tmp_path / "artifacts" / "backup.dir.tar.gz"
    done = await downloader(jump, answer).fetch(EXPORT, target, reports)
    assert target.read_bytes() == CONTENT
    assert (done.path, done.size, done.sha256) == (str(target), len(CONTENT), hashlib.sha256(CONTENT).hexdigest())
    assert stat.S_IMODE(target.stat().st_mode) == 0o600
    assert stat.S_IMODE(target.parent.stat().st_mode) == 0o700
    assert [path.name for path in target.parent.iterdir()] == [target.name]
    assert reports.heard[-1].share == 1.0
    assert "authorization" not in asked[0].headers
    assert "s1gned-secret" not in caplog.text


async def test_an_added_encoding_is_not_undone(jump: JumpClock, tmp_path: Path, reports: Reports) -> None:
    def answer(_: httpx.Request) -> httpx.Response:
        return httpx.Response(200, headers={"Content-Encoding": "gzip"}, stream=Stream(b"\x1f\x8bwhatever"))

    target = tmp_path / "backup"
    await downloader(jump, answer).fetch(EXPORT, target, reports)
    assert target.read_bytes() == b"\x1f\x8bwhatever"


@pytest.mark.parametrize(
    "broken",
    [
        lambda: httpx.Response(200, headers={"Content-Length": "99"}, stream=Stream(b"short")),
        lambda: httpx.Response(200, stream=Stream(b"some", then=httpx.ReadTimeout(LINK))),
        lambda: httpx.Response(200, stream=Stream(b"some", then=httpx.ReadError(LINK))),
        lambda: httpx.Response(503),
    ],
)
async def test_a_broken_download_starts_over(jump: JumpClock, tmp_path: Path, reports: Reports, broken: object) -> None:
    remaining = [broken, broken]

    def answer(request: httpx.Request) -> httpx.Response:
        return remaining.pop()() if remaining else whole(request)  # type: ignore[operator]

    target = tmp_path / "backup"
    done = await downloader(jump, answer).fetch(EXPORT, target, reports)
    assert target.read_bytes() == CONTENT
    assert done.size == len(CONTENT)
    assert any("starting over" in progress.text for progress in reports.heard)


async def test_a_storage_that_never_delivers_leaves_nothing(jump: JumpClock, tmp_path: Path, reports: Reports) -> None:
    def answer(_: httpx.Request) -> httpx.Response:
        return httpx.Response(200, stream=Stream(b"some", then=httpx.ReadTimeout(LINK)))

    with pytest.raises(HostingError, match="nothing came for 30 s") as failed:
        await downloader(jump, answer).fetch(EXPORT, tmp_path / "backup", reports)
    assert list(tmp_path.iterdir()) == []
    assert failed.value.retryable
    assert no_link(failed.value)


async def test_an_expired_link_is_told_and_not_shown(jump: JumpClock, tmp_path: Path, reports: Reports) -> None:
    with pytest.raises(HostingError, match="link has expired") as failed:
        await downloader(jump, lambda _: httpx.Response(403)).fetch(EXPORT, tmp_path / "backup", reports)
    assert no_link(failed.value)
    assert "Retry" in failed.value.remedy


async def test_an_export_without_a_link_is_not_ready(jump: JumpClock, tmp_path: Path, reports: Reports) -> None:
    with pytest.raises(HostingError, match="no link yet"):
        await downloader(jump, whole).fetch(Export("exp-1", EXPORT.created_at), tmp_path / "backup", reports)


async def test_a_disk_that_refuses_fails_the_step(jump: JumpClock, tmp_path: Path, reports: Reports) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(StepFailed, match="cannot be stored") as failed:
        await downloader(jump, whole).fetch(EXPORT, tmp_path / "file" / "backup", reports)
    assert "Make room" in failed.value.remedy


async def test_a_full_disk_fails_the_step_and_leaves_nothing(jump: JumpClock, tmp_path: Path, reports: Reports) -> None:
    """/dev/full takes no byte."""
    with pytest.MonkeyPatch.context() as patch:
        full = os.fdopen(os.open("/dev/full", os.O_WRONLY), "wb", buffering=0)
        patch.setattr("console.adapters.render.download._create", lambda _: full)
        with pytest.raises(StepFailed, match="No space left"):
            await downloader(jump, whole).fetch(EXPORT, tmp_path / "backup", reports)
    assert list(tmp_path.iterdir()) == []


def no_link(error: BaseException | None) -> bool:
    while error is not None:
        if "s1gned-secret" in f"{error!r} {vars(error)}":
            return False
        error = error.__cause__ or error.__context__
    return True
