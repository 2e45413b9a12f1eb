"""PostgreSQL's refusals in the console's words, with the SQLSTATE. No message holds a password or a conninfo."""

import psycopg

from console.errors import DatabaseError

_BY_STATE = {
    "28P01": "Check the user and password in the database's connection string.",
    "28000": "Check the user in the connection string, and who may connect from here.",
    "3D000": "Check the database's name in the connection string.",
    "53300": "Every connection is taken: see who is connected, and close what is not needed.",
    "53100": "The database's disk is full: make room before anything else.",
    "55P03": "Another session holds the lock: see who waits for whom, then retry.",
    "57014": "It was cancelled, or took longer than its time-out allows.",
    "57P01": "The server ended the session: see whether it restarted or somebody ended it.",
    "57P03": "The server is starting or shutting down: wait a minute, then retry.",
    "25006": "This session may only read.",
    "42501": "The role lacks a right: grant it, or connect as another role.",
    "40P01": "Two transactions waited for each other: retry.",
    "40001": "Another transaction was faster: retry.",
}
_BY_WORDS = (
    (
        ("server does not support SSL", "SSL was required"),
        'The server offers no TLS. Turn it on there, or say tls = "disable" in the plan if the line is safe.',
    ),
    (
        ("certificate verify failed", "does not match host name", "root certificate"),
        "The server's certificate cannot be verified: check the connection string's host and the root certificate.",
    ),
    (("no pg_hba.conf entry",), "The server does not let this role in from here, or not without TLS."),
    (
        ("could not translate host name", "failed to resolve host", "Name or service not known"),
        "The host's name is not known: check the connection string and the network.",
    ),
    (
        ("Connection refused", "timeout expired", "Network is unreachable", "No route to host"),
        "Nothing answers there: check the host, the port, the network and the server's list of allowed addresses.",
    ),
)
_CONNECTING = "Check the connection string, the network and whether the server is up."
_LOST = "See whether the server is up, then look what it has done."
_RETRYABLE = frozenset({"53300", "55P03", "57P03", "40P01", "40001"})


def translated(error: psycopg.Error, secrets: tuple[str, ...], *, connecting: bool = False) -> DatabaseError:
    """The console's error for psycopg's. `connecting`: no session existed yet, so nothing was done."""
    state = error.sqlstate or ""
    said = _said(error, secrets)
    remedy = _BY_STATE.get(state) or _by_words(said)
    lost = not connecting and not state
    if connecting:
        message = f"The database cannot be reached: {said}"
    elif lost:
        message = f"The session with the database broke off: {said}"
    else:
        message = f"{said} (SQLSTATE {state})"
    return DatabaseError(
        message,
        sqlstate=state,
        production="Nothing was done in the database." if connecting else "",
        remedy=remedy or (_CONNECTING if connecting else _LOST if lost else ""),
        retryable=connecting or state in _RETRYABLE,
    )


def _said(error: psycopg.Error, secrets: tuple[str, ...]) -> str:
    diagnostic = error.diag
    if diagnostic.message_primary:
        parts = (diagnostic.message_primary, diagnostic.message_detail, diagnostic.message_hint)
        text = ". ".join(part.strip().rstrip(".") for part in parts if part)
    else:
        text = " ".join(str(error).split()) or type(error).__name__
    for secret in secrets:
        text = text.replace(secret, "***")
    return text[:600]


def _by_words(said: str) -> str:
    for words, remedy in _BY_WORDS:
        if any(word in said for word in words):
            return remedy
    return ""
