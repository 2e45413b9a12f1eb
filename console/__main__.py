"""`python -m console`: the command line."""

from console.cli import main

main()
