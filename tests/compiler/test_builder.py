"""The machines printed at the heads of the builder's modules are those that it builds."""

from __future__ import annotations

import inspect
import re
import textwrap
from types import ModuleType

from agentgraph_compiler.ir import builder, phases, shared
from agentgraph_compiler.ir.builder import build
from agentgraph_compiler.ir.chart import Agent, Approval, Chart, Tool
from agentgraph_compiler.ir.policy import Policy
from agentgraph_compiler.ir.text import print_chart
from agentgraph_compiler.machine import WorkKind

TOOL = Tool("a/tool/add", "add", WorkKind.FUNCTION)
FULL_TOOL = Tool(
    TOOL.symbol, TOOL.name, TOOL.kind, approval=Approval.ASKED, screened=True, judged=True
)
SMALL = build("Small", "a", [Agent("a", "A", tools=(TOOL,))])
FULL = build("Full", "a", [Agent("a", "A", tools=(FULL_TOOL,), tries=2)])
SHOWN = re.compile(r"::\n\n(.+?)(?=\n\S|\Z)", re.S)


def printed(chart: Chart) -> list[str]:
    """The blocks of a printed chart, without its declarations."""
    blocks = print_chart(chart).strip().split("\n\n")
    return [block for block in blocks if not block.startswith(("chart ", "agent "))]


def shown_by(module: ModuleType) -> list[list[str]]:
    """The blocks at the head of a module, by listing."""
    listings = SHOWN.findall(inspect.getdoc(module) or "")
    return [textwrap.dedent(listing).strip().split("\n\n") for listing in listings]


def test_the_heads_of_the_modules_show_the_machine_of_one_agent_row_by_row() -> None:
    [agents], [plain, _, _], [common, saves] = map(shown_by, (builder, phases, shared))
    saving = [block for block in common if block.startswith(("state saving.", "state unsaved."))]
    others = [
        block.replace("walks save", f"walks {walk}")
        .replace(".done", f".{rest}")
        .replace("-> done", f"-> {rest}")
        for rest, walk in (
            ("blocked", "save.2"),
            ("exhausted", "save.3"),
            ("failed", "save.4"),
            ("suspended", "save.5"),
            ("stopped", "save.6"),
        )
        for block in saving
    ]
    rows = [*agents, *plain, *common, *saves, *others]
    assert sorted(rows) == sorted(printed(SMALL))


def test_a_handoff_that_returns_is_taken_before_its_target_works() -> None:
    handoff = Tool(symbol="a/tool/b", name="b", kind=WorkKind.AGENT, machine="b", handoff=True)
    inner = build("b", "b", [Agent("b", "B")], policy=Policy(handed=True))
    chart = build("Desk", "a", [Agent("a", "A", tools=(handoff,))], charts=(inner,))
    [lane] = [one for one in shown_by(phases)[2] if one.startswith("phases ")]
    assert lane in printed(chart)


def test_the_lanes_that_declare_everything_are_those_that_are_built() -> None:
    _, whole, _ = shown_by(phases)
    assert whole == [
        block for block in printed(FULL) if block.startswith("phases ") and "-" in block
    ]
