"""Files of the world's state: whole or not at all, and their owner's alone."""

import os
from pathlib import Path


def write_private(path: Path, text: str) -> None:
    """Replace the file `path` by `text` in one move, readable by its owner alone (0600)."""
    draft = path.with_name(path.name + ".draft")
    draft.unlink(missing_ok=True)
    with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
        file.write(text)
    draft.replace(path)
