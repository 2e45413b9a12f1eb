"""Who signs from their own machine: with a login of their own, through a record that is shared."""

from collections.abc import Iterator

from console.config.parts import Parts
from console.config.problems import Problem, key_text
from console.config.toml_lines import Path


def logins_are_unique(parts: Parts) -> Iterator[Problem]:
    """No login signs for two roles: a signature says which role it was given as, and whose it is."""
    first: dict[str, Path] = {}
    for signoff in parts.signoffs:
        login = signoff.item.login
        if login is None:
            continue
        if login in first:
            yield Problem((*signoff.path, "login"), f'"{login}" signs already for {key_text(first[login])}.')
        first.setdefault(login, signoff.path)


def logins_need_a_shared_record(parts: Parts) -> Iterator[Problem]:
    """A login is that of the shared record. A rehearsal may go without one: its sandbox has none."""
    journal = parts.journal
    if parts.data.get("environment") == "rehearsal" or ("journal" in parts.data and journal is None):
        return
    if journal is not None and (journal.item.url_env or journal.item.url_file):
        return
    for signoff in parts.signoffs:
        if signoff.item.login is not None:
            text = "is a login of the shared record, which this plan has not: name one with `[journal] url_env`."
            yield Problem((*signoff.path, "login"), text)
