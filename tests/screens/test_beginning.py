"""What the first dialog says of where this is."""

from dataclasses import replace
from datetime import UTC, datetime

import pytest

from console.domain.fold import fold
from screens.leads import Choose
from screens.moment import Moment
from screens.next_thing import begin
from screens.view import View
from tests.screens.plan import plan_020


@pytest.mark.parametrize(
    ("environment", "where"),
    [("rehearsal", "a rehearsal: nothing outside this machine is touched"), ("production", "PRODUCTION")],
)
def test_it_says_where_before_anything_is_recorded(environment: str, where: str) -> None:
    state = fold(replace(plan_020(), environment=environment), ())
    lead = begin(Moment(View(state, datetime(2026, 2, 4, tzinfo=UTC)), "run"))
    assert isinstance(lead, Choose)
    assert where in str(lead.body[0])
