"""What the builder says of itself is what it builds."""

from __future__ import annotations

import inspect
import textwrap

from agentgraph_compiler.ir import builder
from agentgraph_compiler.ir.builder import build
from agentgraph_compiler.ir.chart import Agent, Tool
from agentgraph_compiler.ir.text import print_chart
from agentgraph_compiler.machine import WorkKind


def test_the_agent_at_its_head_is_printed_as_it_stands_there() -> None:
    _, _, shown = inspect.getdoc(builder).partition("::\n")  # type: ignore[union-attr]
    tool = Tool("a/tool/add", "add", WorkKind.FUNCTION)
    printed = print_chart(build("Small", "a", [Agent("a", "A", tools=(tool,))]))
    blocks = textwrap.dedent(shown).strip().split("\n\n")
    assert len(blocks) == 4
    for block in blocks:
        assert f"\n\n{block}\n" in printed
