"""What a failed step says of the steps before it."""

import pytest

from console.engine.failures import failed
from console.errors import HostingError, StepFailed, WorldChanged
from tests.domain.plans import release_plan


@pytest.mark.parametrize(
    ("error", "reopens"),
    [
        (WorldChanged("main moved since the merge"), ["merge"]),
        (StepFailed("The backup is corrupt."), ["merge"]),
        (StepFailed("The backup cannot be stored: no space left.", retry=True), []),
        (HostingError("The provider did not answer."), []),
        (TimeoutError(), []),
        (ZeroDivisionError("a defect"), []),
    ],
    ids=lambda value: type(value).__name__,
)
def test_earlier_steps_are_reopened_only_for_what_lies_with_them(error: Exception, reopens: list[str]) -> None:
    """Where something merely did not answer, trying the same step again is enough."""
    step = release_plan().step("push")
    assert step.reopens == ("merge",)
    assert failed(step, error, begun=True).data["reopens"] == reopens
