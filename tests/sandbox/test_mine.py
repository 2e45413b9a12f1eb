"""Mining the nonce of the release's last commit."""

import hashlib

from console.sandbox.mine import matches, search, tip_object
from console.sandbox.release import NONCE_FILE, NONCE_TRAILER, TIP_PREFIX


async def test_the_stored_nonce_holds() -> None:
    assert matches(await tip_object(NONCE_FILE.read_text().strip()), TIP_PREFIX)


async def test_a_found_nonce_completes_the_commit_to_a_hash_with_the_wished_prefix() -> None:
    """With three digits in place of seven, which takes some thousand tries."""
    template = await tip_object("0" * 12)
    head = template[: template.rindex(NONCE_TRAILER.encode()) + len(NONCE_TRAILER)]
    nonce = search(head, "abc", 0, 200_000)
    assert nonce is not None
    assert hashlib.sha1(await tip_object(nonce)).hexdigest().startswith("abc")


def test_a_search_without_success_says_so() -> None:
    assert search(b"commit", TIP_PREFIX, 0, 10) is None
