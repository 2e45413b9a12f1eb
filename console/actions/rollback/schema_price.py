"""What the way back over the schema costs: nothing is lost, and what is left to a person is counted and named."""

from console.actions.rollback.schema_outlook import look_back, row_lines, undecided_lines
from console.actions.wording import counted
from console.domain.outcome import Line, Tone
from console.domain.plan import Plan
from console.migration.reversal_checks import in_the_way
from console.ports import Database


async def price_of_schema(database: Database, plan: Plan) -> tuple[str, tuple[Line, ...]]:
    """The price in a sentence, and its details, as of now. Reads only.

    Raises StepFailed when the schema cannot be brought back from here, DatabaseError when the database cannot be asked.
    """
    outlook = await look_back(database, plan.migration)
    blocked = in_the_way(outlook.dependents)
    lines = (
        *row_lines(outlook),
        *undecided_lines(outlook.undecided, outlook.rows.undecided),
        *(Line(f"{each.kind} {each.name} is in the way: it needs {each.column}", tone=Tone.DANGER) for each in blocked),
        Line(
            f"From then until the code from before serves, whatever reads {plan.migration.table} fails: moments, when "
            "the step that serves it is confirmed ahead",
            tone=Tone.WARNING,
        ),
    )
    undecided = outlook.rows.undecided
    return f"nothing is lost; {counted(undecided, 'row')} to decide" if undecided else "nothing is lost", lines
