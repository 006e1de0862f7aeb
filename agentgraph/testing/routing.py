"""`routing_test`: a property of every run, in one line above a test."""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Final, TypeAlias

from hypothesis import Phase, given, settings
from typing_extensions import Unpack

from agentgraph.exceptions import UserError
from agentgraph.testing.conditions import RunKeywords
from agentgraph.testing.failure import failure_report
from agentgraph.testing.routes import Route
from agentgraph.testing.strategies import runs

if TYPE_CHECKING:
    from agentgraph.program import Program
    from agentgraph.workflow import Source

__all__ = ["routing_test"]


_Test: TypeAlias = Callable[..., None]
_PHASES: Final = (Phase.explicit, Phase.reuse, Phase.generate, Phase.shrink)
"""Without the phase that explains by lines of code: those of the interpreter explain nothing."""


def routing_test(
    source: Source | Program,
    *,
    examples: int | None = None,
    pictures: str | Path | None = ".agentgraph",
    **keywords: Unpack[RunKeywords],
) -> Callable[[_Test], _Test]:
    """Make a test of a function that takes a `Route`: it is called with many generated runs.

    If it fails, the failure names the shortest run that fails: as a numbered list of who decided
    what, as a test to paste, and as a drawing.

    Args:
        source: An agent, a workflow or a program; it is not changed.
        examples: How many runs; None leaves it to the profile of Hypothesis.
        pictures: The folder for the drawing of a failing run; None draws none.
        keywords: The conditions of the runs, see `Conditions`.

    Returns:
        A decorator. Its test takes the other parameters of the function, such as fixtures. Called
        with a route, the test examines that one only.

    Raises:
        TypeError: The function takes no parameter.
    """

    return functools.partial(_tested, source, keywords, examples, pictures)


def _tested(
    source: Source | Program,
    keywords: RunKeywords,
    examples: int | None,
    pictures: str | Path | None,
    test: _Test,
) -> _Test:
    parameters = list(inspect.signature(test).parameters)
    if not parameters:
        raise TypeError(f"{test.__name__}() must take a route as its first parameter.")
    last: list[Route] = []

    @functools.wraps(test)
    def examined(**arguments: object) -> None:
        __tracebackhide__ = True
        route = arguments[parameters[0]]
        assert isinstance(route, Route)
        last[:] = [route]
        test(**arguments)

    made = given(**{parameters[0]: runs(source, **keywords)})(examined)
    limits = settings() if examples is None else settings(max_examples=examples)
    made = settings(
        limits, deadline=None, phases=_PHASES, print_blob=False, report_multiple_bugs=False
    )(made)

    @functools.wraps(made)
    def reported(*args: object, **arguments: object) -> None:
        __tracebackhide__ = True
        if args and isinstance(args[0], Route):
            test(*args, **arguments)
            return
        last.clear()
        try:
            made(*args, **arguments)
        except Exception as error:
            if last and not isinstance(error, UserError):
                error.add_note(failure_report(source, last[0], test, error, pictures, keywords))
            raise

    return reported
