"""git behind the `Repository` port."""

from console.adapters.repository.merging import Author
from console.adapters.repository.repository import GitRepository

__all__ = ["Author", "GitRepository"]
