"""Finds the nonce that makes the release's last commit begin with `26c5a9f`: `python -m console.sandbox.mine`.

Needed again only after a file under `crm/` or a message in `release.py` was changed. Takes minutes: the nonce
is the commit's last bytes, so each try hashes one block, but a hash of seven given digits wants about 268
million tries.
"""

import argparse
import asyncio
import hashlib
import multiprocessing
import os
import sys
import tempfile
import time
from itertools import count
from pathlib import Path

from console.sandbox.git_plumbing import fast_import_stream, run_git
from console.sandbox.release import NONCE_FILE, NONCE_TRAILER, TIP_PREFIX, main_commits, release_commits

NONCE_DIGITS = 12
_BATCH = 1_000_000


async def tip_object(nonce: str) -> bytes:
    """The release's last commit with `nonce`, as the bytes that git hashes."""
    with tempfile.TemporaryDirectory() as folder:
        repository = Path(folder) / "mine.git"
        await run_git(None, "init", "--quiet", "--bare", str(repository))
        stream = fast_import_stream("tip", [*main_commits(), *release_commits(nonce)])
        await run_git(repository, "fast-import", "--quiet", stdin=stream)
        body = await run_git(repository, "cat-file", "commit", "refs/heads/tip")
    return b"commit %d\0" % len(body) + body


def matches(commit_object: bytes, prefix: str) -> bool:
    """Whether the hash of `commit_object` begins with the hexadecimal `prefix`."""
    return hashlib.sha1(commit_object, usedforsecurity=False).hexdigest().startswith(prefix)


def search(head: bytes, prefix: str, start: int, tries: int) -> str | None:
    """The first nonce from `start` on, within `tries`, that completes `head` to a hash with `prefix`."""
    base = hashlib.sha1(head, usedforsecurity=False)
    wanted = bytes.fromhex(prefix[: len(prefix) // 2 * 2])
    size = len(wanted)
    for number in range(start, start + tries):
        attempt = base.copy()
        attempt.update(b"%012x\n" % number)
        if attempt.digest()[:size] == wanted and attempt.hexdigest().startswith(prefix):
            return f"{number:0{NONCE_DIGITS}x}"
    return None


def _search_batch(work: tuple[bytes, str, int]) -> str | None:
    return search(*work, _BATCH)


def mine(head: bytes, prefix: str, processes: int) -> str:
    """Search on `processes` cores until a nonce is found."""
    started = time.monotonic()
    with multiprocessing.get_context("spawn").Pool(processes) as pool:
        for first in count(0, processes):
            numbers = range(first, first + processes)
            found = pool.map(_search_batch, [(head, prefix, number * _BATCH) for number in numbers], chunksize=1)
            for nonce in found:
                if nonce is not None:
                    return nonce
            tries = numbers.stop * _BATCH
            rate = tries / (time.monotonic() - started)
            print(f"{tries / 1e6:.0f} million tries, {rate / 1e6:.1f} million/s", end="\r", file=sys.stderr)
    raise RuntimeError("the search ended without a nonce")


def main() -> None:
    """Mine and store the nonce, or say that the stored one still holds."""
    parser = argparse.ArgumentParser(prog="python -m console.sandbox.mine", description=__doc__)
    parser.add_argument("--processes", type=int, default=os.cpu_count() or 1, help="cores to use")
    parser.add_argument("--check", action="store_true", help="only say whether the stored nonce holds")
    options = parser.parse_args()
    stored = NONCE_FILE.read_text().strip() if NONCE_FILE.exists() else "0" * NONCE_DIGITS
    candidate = asyncio.run(tip_object(stored))
    if matches(candidate, TIP_PREFIX):
        print(f"nonce {stored} holds: the release's last commit begins with {TIP_PREFIX}")
        return
    if options.check:
        sys.exit(f"nonce {stored} does not make {TIP_PREFIX}: run python -m console.sandbox.mine")
    head = candidate[: candidate.rindex(NONCE_TRAILER.encode()) + len(NONCE_TRAILER)]
    NONCE_FILE.write_text(mine(head, TIP_PREFIX, options.processes) + "\n")
    print(f"stored {NONCE_FILE.read_text().strip()} in {NONCE_FILE}")


if __name__ == "__main__":
    main()
