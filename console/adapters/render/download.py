"""Fetching an export: streamed to disk, hashed on the way, whole or not at all.

The signed link is a secret and appears in no message; the API key is never sent to the storage's host. The
file comes into being under its name only when it is complete, with mode 0600.
"""

import asyncio
import contextlib
import hashlib
import logging
import os
import secrets
from pathlib import Path
from typing import BinaryIO

import httpx

from console.domain.hosting import Download, Export
from console.domain.outcome import Progress
from console.domain.places import host_of, is_loopback
from console.errors import HostingError, StepFailed
from console.ports import Clock, Report

# Its INFO lines quote every address, and so the signed link.
logging.getLogger("httpx").setLevel(logging.WARNING)

_CONNECT_S = 5.0
_STALL_S = 30.0
_TRIES = 3
_PAUSE_S = 1.0
_REPORT_EVERY_S = 0.25
_CHUNK = 1024 * 1024
_AFTERWARDS = "Production is unchanged; the backup is still with the provider."


class Downloader:
    """Downloads exports; a stall or a broken connection is met by starting over, a few times."""

    def __init__(self, clock: Clock, *, transport: httpx.AsyncBaseTransport | None = None) -> None:
        self._clock = clock
        self._transport = transport

    async def fetch(self, export: Export, destination: Path, report: Report) -> Download:
        """Download to `destination`, whose folder is made when it is missing.

        Raises HostingError when the storage does not deliver, StepFailed when the disk refuses.
        """
        if export.url is None:
            raise HostingError(
                f"Export {export.id} has no link yet.",
                production=_AFTERWARDS,
                remedy="Wait until the provider shows it as ready.",
                retryable=True,
            )
        attempt = 1
        while True:
            try:
                return await self._attempt(export.id, export.url, destination, report)
            except HostingError as error:
                if not error.retryable or attempt == _TRIES:
                    raise
            attempt += 1
            await report(Progress(f"download broke off; starting over ({attempt} of {_TRIES})"))
            await self._clock.sleep(_PAUSE_S * attempt)

    async def _attempt(self, export_id: str, url: str, destination: Path, report: Report) -> Download:
        partial = destination.with_name(f".{destination.name}.{secrets.token_hex(4)}.part")
        refusal: str | None = None
        try:
            target = await asyncio.to_thread(_create, partial)
            try:
                size, digest = await self._stream(export_id, url, target, report)
            finally:
                await asyncio.to_thread(target.close)
            await asyncio.to_thread(partial.replace, destination)
            return Download(path=str(destination), size=size, sha256=digest)
        except OSError as error:
            refusal = f"{destination} cannot be written: {error.strerror or error}"
        finally:
            with contextlib.suppress(FileNotFoundError, NotADirectoryError):
                partial.unlink()
        raise StepFailed(
            f"The backup cannot be stored: {refusal}.",
            production=_AFTERWARDS,
            remedy="Make room, or name another folder in [journal] directory; then retry.",
            retry=True,
        )

    async def _stream(self, export_id: str, url: str, target: BinaryIO, report: Report) -> tuple[int, str]:
        failure: HostingError
        try:
            async with (
                httpx.AsyncClient(
                    timeout=httpx.Timeout(_STALL_S, connect=_CONNECT_S),
                    follow_redirects=True,
                    trust_env=not is_loopback(host_of(url)),
                    transport=self._transport,
                ) as http,
                http.stream("GET", url, headers={"Accept-Encoding": "identity"}) as response,
            ):
                if response.is_success:
                    return await self._store(export_id, response, target, report)
                failure = _refused(export_id, response.status_code)
        except httpx.TimeoutException:
            failure = _broken(export_id, f"nothing came for {_STALL_S:.0f} s")
        except httpx.TransportError:
            failure = _broken(export_id, "the connection broke off")
        except (httpx.InvalidURL, httpx.TooManyRedirects):
            failure = _broken(export_id, "the provider's link leads nowhere", retryable=False)
        # Outside of the handler: the vendor's exception names the signed link.
        raise failure

    async def _store(
        self, export_id: str, response: httpx.Response, target: BinaryIO, report: Report
    ) -> tuple[int, str]:
        expected = int(response.headers.get("content-length", "0"))
        digest = hashlib.sha256()
        size = 0
        reported = self._clock.monotonic()
        # Raw: an encoding that storage adds to a .tar.gz on its own account must not be undone silently.
        async for chunk in response.aiter_raw(_CHUNK):
            await asyncio.to_thread(_write, target, digest, chunk)
            size += len(chunk)
            if self._clock.monotonic() - reported >= _REPORT_EVERY_S:
                reported = self._clock.monotonic()
                share = min(size / expected, 1.0) if expected else None
                await report(Progress(f"downloaded {size / 1e6:.1f} MB", share=share))
        if expected and size != expected:
            raise _broken(export_id, f"{size} of {expected} bytes came")
        await asyncio.to_thread(os.fsync, target.fileno())
        await report(Progress(f"downloaded {size / 1e6:.1f} MB", share=1.0))
        return size, digest.hexdigest()


def _create(path: Path) -> BinaryIO:
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    return os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, 0o600), "wb", buffering=0)


def _write(target: BinaryIO, digest: "hashlib._Hash", chunk: bytes) -> None:
    digest.update(chunk)
    # Unbuffered: a disk that fills up may take less than it was given.
    rest = memoryview(chunk)
    while rest:
        rest = rest[target.write(rest) :]


def _refused(export_id: str, status: int) -> HostingError:
    expired = status in (401, 403, 404, 410)
    return HostingError(
        f"The provider's storage answered {status} for export {export_id}"
        + (": the link has expired." if expired else "."),
        status=status,
        production=_AFTERWARDS,
        remedy="Retry: the exports are read anew, with a fresh link." if expired else "Try again in a minute.",
        retryable=status >= 500 or status == 429,
    )


def _broken(export_id: str, why: str, *, retryable: bool = True) -> HostingError:
    return HostingError(
        f"Export {export_id} could not be downloaded: {why}.",
        production=_AFTERWARDS,
        remedy="Check the network, then retry.",
        retryable=retryable,
    )
