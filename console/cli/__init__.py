"""The command line and the composition root: the one room that sees all the others and wires them.

`main` is the console script. Everything heavy (screens, adapters, the sandbox) is imported inside the
command that needs it, so that `--help` and a mistyped option cost nothing.
"""

from console.cli.commands import main

__all__ = ["main"]
