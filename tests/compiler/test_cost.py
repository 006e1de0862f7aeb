"""What compiling costs: linear work, no deep recursion, and no graph library before a run.

Work is counted in executed lines of the compiler, never timed, so the tests give the same answer
on any machine.
"""

from __future__ import annotations

import os
import random
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from types import FrameType
from typing import Any

import pytest

from agentgraph_compiler import pipeline
from agentgraph_compiler.emit import emit
from agentgraph_compiler.ir.builder import build
from agentgraph_compiler.ir.chart import Agent, Chart, Choice, ChoiceKind
from agentgraph_compiler.ir.text import print_chart
from agentgraph_compiler.machine import Machine
from agentgraph_compiler.render import render
from tests.compiler.workflows import ALWAYS_CALLS, agent_tool, subchart, to

COMPILER = Path(__file__).parents[2] / "compiler"


def chain(length: int, **fields: Any) -> Chart:
    """Each agent hands off to the next."""
    agents = [
        Agent(
            f"a{n}",
            f"A{n}",
            handoffs=(to(f"a{n}", f"a{n + 1}"),) if n + 1 < length else (),
            **fields,
        )
        for n in range(length)
    ]
    return build("chain", "a0", agents)


def ring(length: int) -> Chart:
    """A cycle without exit."""
    agents = [
        Agent(
            f"a{n}", f"A{n}", handoffs=(to(f"a{n}", f"a{(n + 1) % length}"),), choice=ALWAYS_CALLS
        )
        for n in range(length)
    ]
    return build("ring", "a0", agents)


def star(length: int) -> Chart:
    """One agent that hands off to all others, each of which hands back."""
    others = [Agent(f"b{n}", f"B{n}", handoffs=(to(f"b{n}", "a"),)) for n in range(length)]
    first = Agent("a", "A", handoffs=tuple(to("a", other.id) for other in others))
    return build("star", "a", [first, *others])


def coils(length: int) -> Chart:
    """Each agent first hands to the hub and then to the next, so each circle opens another."""
    hub = Agent("hub", "Hub", handoffs=(to("hub", "a0"),))
    choice = Choice(ChoiceKind.NAMED, ("transfer_to_hub",))
    others = [
        Agent(
            f"a{n}",
            f"A{n}",
            handoffs=(to(f"a{n}", "hub"), to(f"a{n}", f"a{(n + 1) % length}")),
            choice=choice,
        )
        for n in range(length)
    ]
    return build("coils", "hub", [hub, *others])


def nested(length: int) -> Chart:
    """Each agent has the next as its tool, and the last has the first."""
    parts = tuple(
        subchart(
            f"s{n}",
            Agent(f"s{n}", f"S{n}", tools=(agent_tool(f"s{n}", "t", f"s{(n + 1) % length}"),)),
        )
        for n in range(length)
    )
    return build(
        "nested", "a", [Agent("a", "A", tools=(agent_tool("a", "t", "s0"),))], charts=parts
    )


def ladder(length: int) -> Chart:
    """Each agent has the next as its tool twice, so the ways to the last double with each."""
    parts = tuple(
        subchart(
            f"s{n}",
            Agent(
                f"s{n}",
                f"S{n}",
                tools=tuple(agent_tool(f"s{n}", name, f"s{n + 1}") for name in ("t", "u"))
                if n + 1 < length
                else (),
            ),
        )
        for n in range(length)
    )
    first = Agent("a", "A", tools=(agent_tool("a", "t", "s0"),))
    return build("ladder", "a", [first], charts=parts)


def scattered(agents: int, handoffs: int) -> Chart:
    """Handoffs between random agents."""
    dice = random.Random(7)
    targets: list[set[int]] = [set() for _ in range(agents)]
    for _ in range(handoffs):
        targets[dice.randrange(agents)].add(dice.randrange(agents))
    lowered = [
        Agent(f"a{n}", f"A{n}", handoffs=tuple(to(f"a{n}", f"a{t}") for t in sorted(targets[n])))
        for n in range(agents)
    ]
    return build("scattered", "a0", lowered, declared=True)


def lines_executed(work: Callable[[], object]) -> int:
    """How many lines of the compiler a piece of work executes."""
    count = 0

    def local(frame: FrameType, event: str, argument: object) -> Any:
        nonlocal count
        count += event == "line"
        return local

    def entered(frame: FrameType, event: str, argument: object) -> Any:
        return local if "agentgraph_compiler" in frame.f_code.co_filename else None

    before = sys.gettrace()
    sys.settrace(entered)
    try:
        work()
    finally:
        sys.settrace(before)
    return count


SHAPES: dict[str, Callable[[int], Chart]] = {
    "chain": chain,
    "ring": ring,
    "star": star,
    "coils": coils,
    "nested": nested,
    "scattered": lambda size: scattered(size, 3 * size),
}
WORK: dict[str, Callable[[Chart], object]] = {
    "check before a run": lambda chart: pipeline.check(chart, deep=False),
    "emit": emit,
    "print": print_chart,
}


@pytest.mark.parametrize("work", WORK)
@pytest.mark.parametrize("shape", SHAPES)
def test_work_grows_no_faster_than_the_workflow(shape: str, work: str) -> None:
    small, large = SHAPES[shape](100), SHAPES[shape](400)
    growth = lines_executed(lambda: WORK[work](large)) / lines_executed(lambda: WORK[work](small))
    assert growth < 4.4


def test_a_search_for_recursion_goes_into_each_nested_tool_once() -> None:
    short, long = ladder(8), ladder(12)
    growth = lines_executed(lambda: pipeline.check(long, deep=False)) / lines_executed(
        lambda: pipeline.check(short, deep=False)
    )
    assert growth < 2  # the ways to the last tool grow by sixteen


def test_quadratic_work_would_be_noticed() -> None:
    """The counter can fail: a check that looks at every pair grows by sixteen."""
    namespace: dict[str, Any] = {}
    source = "def pairs(chart):\n for a in chart:\n  for b in chart:\n   pass\n"
    exec(compile(source, "agentgraph_compiler/pairs.py", "exec"), namespace)
    pairs = namespace["pairs"]
    growth = lines_executed(lambda: pairs(range(400))) / lines_executed(lambda: pairs(range(100)))
    assert growth > 10


@pytest.mark.parametrize("shape", [chain, ring], ids=["chain", "ring"])
def test_ten_thousand_agents_in_a_row_compile_without_deep_recursion(
    shape: Callable[[int], Chart],
) -> None:
    chart = shape(10_000)
    codes = {diagnostic.rule.code for diagnostic in pipeline.check(chart)}
    assert codes == (set() if shape is chain else {"AG202"})
    assert render(chart).count("->") >= 9_999


def test_ten_thousand_agents_with_thirty_thousand_handoffs_compile() -> None:
    chart = scattered(10_000, 30_000)
    compiled = pipeline.compile_chart(chart)
    assert isinstance(compiled.machine, Machine)
    assert {diagnostic.rule.code for diagnostic in compiled.diagnostics} == {"AG201"}


def test_thousands_of_nested_tools_are_followed_without_deep_recursion() -> None:
    (diagnostic,) = pipeline.check(nested(3_000))
    assert diagnostic.rule.code == "AG203"
    assert "… 2993 more …" in diagnostic.message


@pytest.mark.parametrize("shape", ["chain", "star", "lonely"])
def test_checking_before_a_run_loads_no_graph_library(shape: str) -> None:
    chart = chain(1, choice=ALWAYS_CALLS) if shape == "lonely" else SHAPES[shape](5)
    program = (
        "import sys\n"
        "from agentgraph_compiler import pipeline\n"
        "from agentgraph_compiler.ir.text import parse_chart\n"
        "assert pipeline.compile_chart(parse_chart(sys.stdin.read()), deep=False).machine\n"
        "print(sorted({'networkx', 'graphviz', 'pydantic'} & set(sys.modules)))"
    )
    done = subprocess.run(
        [sys.executable, "-c", program],
        input=print_chart(chart),
        capture_output=True,
        text=True,
        check=True,
        env={**os.environ, "PYTHONPATH": str(COMPILER)},
    )
    assert done.stdout.strip() == "[]"


@pytest.mark.parametrize(
    "text",
    ["Transfer back to the triage agent. ", "use a_b or transfer it to ", "back to"],
)
def test_reading_instructions_grows_no_faster_than_the_text(text: str) -> None:
    def work(length: int) -> Callable[[], object]:
        agent = Agent("a", "A", instructions=text * length)
        return lambda: pipeline.check(build("texts", "a", [agent]))

    assert lines_executed(work(400)) / lines_executed(work(100)) < 4.4
