"""The shared record as a signer uses it, behind the `SignerStore` port: it signs, as itself only, and is answered."""

from typing import cast

from console.adapters.database.connecting import Target
from console.adapters.journal.link import CALL_S, StoreLink
from console.adapters.journal.names import SIGNER_ROLE
from console.adapters.journal.reading import moment
from console.domain.shared import Answer, Signature
from console.secrets import Secret

_LOGIN = "SELECT session_user::text AS login"
_SIGN = """
INSERT INTO release_console.inbox (run, role, name, approve, note, plan, commit)
VALUES (%(run)s, %(role)s, %(name)s, %(approve)s, %(note)s, %(plan)s, %(commit)s) RETURNING id
"""
_ANSWER = "SELECT a.accepted, a.reason, a.at FROM release_console.answers a WHERE a.signature = %(signature)s"


class PostgresSignerStore:
    """A signer's store. `url` is the connection string and `tls` as `Target`'s; `seconds` is the time of a call.

    Raises StoreLost, and JournalError where the login may not sign, or the store is not set up.
    """

    def __init__(self, url: Secret, *, tls: str, seconds: float = CALL_S) -> None:
        self._link = StoreLink(Target(url, tls), SIGNER_ROLE, "rc/sign", seconds=seconds)

    async def login(self) -> str:
        """Whom the database takes us for."""
        (row,) = await self._link.fetch(_LOGIN)
        return str(row["login"])

    async def sign(self, signature: Signature) -> int:
        """Put a signature into the inbox; its number. Who signed and when is the database's to say."""
        given = {
            "run": signature.run,
            "role": signature.role,
            "name": signature.name,
            "approve": signature.approve,
            "note": signature.note,
            "plan": signature.plan,
            "commit": signature.commit,
        }
        (row,) = await self._link.fetch(_SIGN, given)
        return cast(int, row["id"])

    async def answer_to(self, signature: int) -> Answer | None:
        """What became of a signature of ours; None while it waits."""
        for row in await self._link.fetch(_ANSWER, {"signature": signature}):
            return Answer(bool(row["accepted"]), str(row["reason"]), moment(row["at"]))
        return None

    async def close(self) -> None:
        """Let go of the connection; again is harmless. Never raises."""
        await self._link.close()
