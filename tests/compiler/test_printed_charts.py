"""The printed form of a chart: a round trip that loses nothing, and errors that name the line."""

from __future__ import annotations

import dataclasses

import pytest
from hypothesis import given

from agentgraph_compiler.diagnostics import UNKNOWN
from agentgraph_compiler.ir.chart import Agent, Chart, Guardrail, Handoff, Stop, Tool
from agentgraph_compiler.ir.text import ChartSyntaxError, parse_chart, print_chart
from agentgraph_compiler.machine import Invoke, Move, Phase, State, Transition
from agentgraph_compiler.types import Type
from tests.compiler import chart_strategies
from tests.compiler.workflows import ALWAYS_CALLS, support_desk

HEAD = 'chart "c" start a initial i\n'


@given(chart_strategies.charts())
def test_a_printed_chart_parses_to_the_chart_it_was(chart: Chart) -> None:
    assert parse_chart(print_chart(chart)) == chart


@given(chart_strategies.charts())
def test_printing_is_stable(chart: Chart) -> None:
    printed = print_chart(chart)
    assert print_chart(parse_chart(printed)) == printed


@pytest.mark.parametrize(
    ("part", "strategy"),
    [
        (Agent, "agents"),
        (Tool, "tools"),
        (Handoff, "handoffs"),
        (Guardrail, "guardrails"),
        (Stop, "stops"),
        (Type, "types"),
        (State, "states"),
        (Invoke, "invokes"),
        (Phase, "phases"),
        (Move, "moves"),
        (Transition, "transitions"),
    ],
)
def test_the_strategy_of_the_round_trip_fills_every_field(part: type, strategy: str) -> None:
    """A field added to the chart must be added to the strategy, or its round trip is not tested."""
    given_fields = getattr(chart_strategies, strategy).wrapped_strategy.kwargs.keys()
    assert set(given_fields) == {field.name for field in dataclasses.fields(part)}


def test_without_origins_the_text_says_nothing_of_the_place() -> None:
    chart = support_desk()
    printed = print_chart(chart, origins=False)
    assert "@" not in printed
    assert parse_chart(printed).origin == UNKNOWN


def test_remarks_empty_lines_and_windows_line_ends_are_skipped() -> None:
    lines = (
        "# what it is",
        "",
        HEAD.strip(),
        "  ",
        'agent a "A"',
        "  # why",
        "  choice some kept",
        "",
    )
    text = "\r\n".join(lines)
    assert parse_chart(text) == Chart("c", "a", "i", (Agent("a", "A", choice=ALWAYS_CALLS),), ())


def test_a_sub_chart_with_sub_charts_of_its_own_is_refused() -> None:
    inner = Chart("inner", "a", "i", (), ())
    nested = dataclasses.replace(inner, name="nested", charts=(inner,))
    with pytest.raises(ValueError, match="'nested' holds sub-charts"):
        print_chart(dataclasses.replace(inner, charts=(nested,)))


@pytest.mark.parametrize(
    ("text", "line", "message"),
    [
        ("", 1, "expected 'chart', found nothing"),
        ('agent a "A"', 1, "expected 'chart'"),
        ("  final never", 1, "a chart must be opened first"),
        ('subchart "c" start a initial i', 1, "the root chart comes first"),
        (HEAD + HEAD, 2, "the root chart comes first and only once"),
        (HEAD + "  final never", 2, "an agent or a state must be opened first"),
        (HEAD + "edge a b", 2, "expected 'agent', 'phases', 'rows', 'state', 'step' or 'subchart'"),
        ('chart "c" initial i', 1, "expected 'start', found initial"),
        ('chart "c" start', 1, "expected the id of the start agent, found the end of the line"),
        (HEAD + 'agent a "A" sometimes', 2, "expected the end of the line, found sometimes"),
        (HEAD + 'agent a "A', 2, "cannot read '\"A'"),
        (HEAD + 'agent a "A\\q"', 2, "not a string"),
        (HEAD + 'agent a "A" @ app.py:x', 2, "expected a line number, found x"),
        (HEAD + 'agent a "A"\n  colour red', 3, "'colour' is not a part of an agent"),
        (HEAD + 'agent a "A"\n\n  tool t "t" magic', 4, "'magic' is not a kind of work"),
        (HEAD + 'agent a "A"\n  handoff h "h" b', 3, "expected '->', found b"),
        (HEAD + 'agent a "A"\n  tries often', 3, "expected a number of tries, found often"),
        (HEAD + "phases p\nphases p", 3, "the phases 'p' are defined twice"),
        (HEAD + "phases p\n  on done", 3, "'on' is not a part of phases"),
        (HEAD + "phases p\n  phase a magic", 3, "'magic' is not a kind of work"),
        (HEAD + "state s done\n  invoke i walks p", 3, "no phases are named 'p'"),
        (HEAD + "state s done\n  invoke i model places x", 3, "a number after 'places', found x"),
        (HEAD + 'step s "S" dance', 2, "'dance' is not a kind of step"),
        (HEAD + 'step s "S" agent\n  jump', 3, "'jump' is not a part of a step"),
        (HEAD + 'step s "S" agent\n  on "x" range a b', 3, "expected a whole number or *, found a"),
        (HEAD + 'step s "S" agent\n  case "x" t', 3, "expected '->', found t"),
        (HEAD + "state s sleeping", 2, "'sleeping' is not a kind of state"),
        (HEAD + "state s done\n  final never", 3, "'final' is not a part of a state"),
        (HEAD + "state s done\n  on replied done", 3, "expected '->', found done"),
        (HEAD + "state s done\n  on replied when calls a b", 3, "expected '->', found b"),
        (HEAD + "state s done\n  on replied -> ,", 3, "expected the id of the target, found ,"),
        (HEAD + "state s done\n  on replied -> s emits smoke", 3, "'smoke' is not an emission"),
    ],
)
def test_a_text_that_is_no_chart_is_refused_with_its_line(
    text: str, line: int, message: str
) -> None:
    with pytest.raises(ChartSyntaxError) as caught:
        parse_chart(text)
    assert caught.value.line == line
    assert str(caught.value).startswith(f"line {line}: ")
    assert message in str(caught.value)
