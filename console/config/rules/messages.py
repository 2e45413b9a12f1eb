"""What the plan's own words to the stakeholders may name."""

from collections.abc import Iterator

from console.config.parts import Parts
from console.config.problems import Problem
from console.domain.messages import problems
from console.domain.plan import MessageTemplate


def placeholders_exist(parts: Parts) -> Iterator[Problem]:
    """A message names only what the console can fill in at its turn."""
    for message in parts.messages:
        template = MessageTemplate(message.item.turn, message.item.subject, message.item.text)
        yield from (Problem(message.path, each) for each in problems(template))
