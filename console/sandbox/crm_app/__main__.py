"""Starts one instance: `python -m console.sandbox.crm_app --role backend --root CHECKOUT --port N`.

The environment holds the rest: `DATABASE_URL` (backend), `BACKEND_URL` (frontend), `COMMIT`, and the service's
name (`RENDER_SERVICE_NAME`), under which a backend's sessions are listed by its database. The instance listens on
loopback and ends on SIGTERM or, with `--until-stdin-closes`, when whoever started it is gone.
"""

import argparse
import asyncio
import os
import sys
from pathlib import Path

import uvicorn
from starlette.applications import Starlette

_GRACE_S = 2


def main() -> None:
    """Serve until told to end; exit 1 with one line when the release cannot start."""
    parser = argparse.ArgumentParser(prog="python -m console.sandbox.crm_app")
    parser.add_argument("--role", choices=("backend", "frontend"), required=True)
    parser.add_argument("--root", type=Path, required=True, help="the checkout to serve")
    parser.add_argument("--port", type=int, required=True, help="the loopback port")
    parser.add_argument("--until-stdin-closes", action="store_true", help="end with the starting process")
    options = parser.parse_args()
    commit = os.environ.get("COMMIT", "unknown")
    application = _application(options.role, options.root, commit)
    print(f"{options.role} {commit[:7]} listens on 127.0.0.1:{options.port}", flush=True)
    asyncio.run(_serve(application, options.port, options.until_stdin_closes))


def _application(role: str, root: Path, commit: str) -> Starlette:
    # Only the imports of the role that starts: an instance must be up in a fraction of a second.
    if role == "frontend":
        from console.sandbox.crm_app.frontend import Frontend

        return Frontend(root, _required("BACKEND_URL"), commit).application()
    from console.sandbox.crm_app.backend import create_backend
    from console.sandbox.crm_app.queries import BrokenRelease

    try:
        name = os.environ.get("RENDER_SERVICE_NAME", "crm-backend")
        return create_backend(root, _required("DATABASE_URL"), commit, name)
    except BrokenRelease as broken:
        sys.exit(f"ERROR cannot start: {broken}")


def _required(name: str) -> str:
    value = os.environ.get(name)
    if not value:
        sys.exit(f"ERROR cannot start: {name} is not set")
    return value


async def _serve(application: Starlette, port: int, until_stdin_closes: bool) -> None:
    config = uvicorn.Config(
        application,
        host="127.0.0.1",
        port=port,
        access_log=False,
        log_level="warning",
        http="h11",
        ws="none",
        loop="asyncio",
        timeout_graceful_shutdown=_GRACE_S,
    )
    server = uvicorn.Server(config)
    if until_stdin_closes:
        asyncio.get_running_loop().add_reader(sys.stdin.fileno(), lambda: _end_on_close(server))
    await server.serve()


def _end_on_close(server: uvicorn.Server) -> None:
    if not os.read(sys.stdin.fileno(), 1024):
        asyncio.get_running_loop().remove_reader(sys.stdin.fileno())
        server.should_exit = True


if __name__ == "__main__":
    main()
