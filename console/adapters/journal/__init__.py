"""The shared record in PostgreSQL, behind the ports of `console.ports.shared`.

Each half stands in a module of its own, so that whoever watches loads nothing that could write: `observer`, `driver`,
`signer`, and `schema` for who sets it up.
"""
