"""What agents, handoffs, tools and guardrails become: origins, sub-charts, objects of another make,
what a run adds, and what is not seen."""

from __future__ import annotations

import inspect
from types import SimpleNamespace
from typing import Any

import pytest

from agentgraph import (
    Agent,
    GuardrailFunctionOutput,
    InputGuardrail,
    OutputGuardrail,
    RunConfig,
    UserError,
    Workflow,
    allow,
    check,
    compile,
    function_tool,
    handoff,
    input_guardrail,
)
from agentgraph.frontend.lower_workflow import lower
from agentgraph.frontend.scope import RunScope
from agentgraph.program import program_for
from agentgraph_compiler.analysis.moves import moves
from agentgraph_compiler.diagnostics import Origin
from agentgraph_compiler.ir.chart import Agent as Declared
from agentgraph_compiler.ir.chart import Chart, Enabled
from agentgraph_compiler.machine import StateKind, WorkKind
from tests.frontend.test_shapes import verdict


def lowered(source: Any, scope: RunScope | None = None) -> Chart:
    return lower(source, scope or RunScope())[0]


def declared(agent: Any) -> Declared:
    return lowered(agent).agents[0]


def line() -> int:
    """The line that calls this."""
    frame = inspect.currentframe()
    assert frame is not None
    assert frame.f_back is not None
    return frame.f_back.f_lineno


def test_the_origin_of_an_agent_is_its_construction_and_of_a_clone_the_cloning() -> None:
    agent, here = Agent[Any](name="A"), line()
    copy, there = agent.clone(name="B"), line()
    assert declared(agent).origin == Origin(__file__, here)
    assert declared(copy).origin == Origin(__file__, there)


def test_the_origin_of_a_tool_is_its_decorated_function() -> None:
    @function_tool
    def look_up(word: str) -> str:
        return word

    (tool,) = declared(Agent(name="A", tools=[look_up])).tools
    with open(__file__, encoding="utf-8") as source:
        written = source.read().split("\n")[tool.origin.line - 1]
    assert (tool.origin.file, written.strip()) in [
        (__file__, "@function_tool"),
        (__file__, "def look_up(word: str) -> str:"),
    ]


def test_the_origin_of_a_handoff_is_its_own_or_that_of_the_agent_that_lists_the_target() -> None:
    target = Agent[Any](name="Target")
    made, here = handoff(target, tool_name_override="go"), line()
    agent, there = Agent[Any](name="A", handoffs=[made, target]), line()
    own, listed = declared(agent).handoffs
    assert (own.origin.line, listed.origin.line) == (here, there)


def test_the_origin_of_a_guardrail_is_where_it_is_defined() -> None:
    guardrail, here = InputGuardrail[Any](verdict), line()
    assert declared(Agent(name="A", input_guardrails=[guardrail])).input_guardrails[
        0
    ].origin == Origin(__file__, here)


def test_one_object_that_many_agents_list_is_declared_alike_in_all() -> None:
    @function_tool
    def look_up(word: str) -> str:
        return word

    guardrail = OutputGuardrail[Any](verdict)
    second = Agent[Any](name="B", tools=[look_up], output_guardrails=[guardrail])
    first = Agent[Any](name="A", tools=[look_up], output_guardrails=[guardrail], handoffs=[second])
    one, two = lowered(first).agents
    assert one.tools[0].symbol == "a/tool/look_up"
    assert two.tools[0].symbol == "b/tool/look_up"
    assert one.tools[0].digest == two.tools[0].digest
    assert one.output_guardrails[0].origin == two.output_guardrails[0].origin


def test_an_agent_used_twice_as_a_tool_has_one_sub_chart() -> None:
    inner = Agent[Any](name="Inner")
    second = Agent[Any](name="B", tools=[inner.as_tool("ask", "Ask.")])
    first = Agent[Any](name="A", tools=[inner.as_tool("ask", "Ask.")], handoffs=[second])
    chart = lowered(first)
    assert [part.name for part in chart.charts] == ["inner"]
    assert {agent.tools[0].machine for agent in chart.agents} == {"inner"}


def test_nested_agent_tools_give_flat_sub_charts() -> None:
    innermost = Agent[Any](name="Innermost")
    inner = Agent[Any](name="Inner", tools=[innermost.as_tool("deeper", "Ask.")])
    outer = Agent[Any](name="Outer", tools=[inner.as_tool("deep", "Ask.")])
    chart, bindings = lower(outer)
    assert [part.name for part in chart.charts] == ["inner", "innermost"]
    assert set(bindings.machines) == {"inner", "innermost"}
    assert bindings.machines["inner"].machines is bindings.machines


def test_an_agent_that_is_its_own_tool_is_lowered_and_reported() -> None:
    agent = Agent[Any](name="A")
    agent.tools.append(agent.as_tool("again", "Ask."))
    chart = lowered(agent)
    assert [part.name for part in chart.charts] == ["a"]
    assert [diagnostic.rule.code for diagnostic in check(agent)] == ["AG203"]


@pytest.mark.parametrize("as_dict", [False, True])
def test_an_agent_tool_with_a_run_configuration_of_its_own_has_its_guardrails(
    as_dict: bool,
) -> None:
    fields: dict[str, Any] = {"input_guardrails": [InputGuardrail(verdict, name="own")]}
    inner = Agent[Any](name="Inner")
    own = inner.as_tool("a", "Ask.", run_config=fields if as_dict else RunConfig(**fields))
    chart = lowered(Agent(name="A", tools=[own, inner.as_tool("b", "Ask.")]))
    guarded = [[row.name for row in part.agents[0].input_guardrails] for part in chart.charts]
    assert guarded == [["own"], []]


def test_guardrails_of_the_run_guard_the_start_and_every_end() -> None:
    config = RunConfig(
        input_guardrails=[InputGuardrail(verdict, name="in")],
        output_guardrails=[OutputGuardrail(verdict, name="out")],
    )
    inner = Agent[Any](name="Inner")
    second = Agent[Any](name="B", tools=[inner.as_tool("ask", "Ask.")])
    chart = lowered(Agent(name="A", handoffs=[second]), RunScope.of(config))
    names = [
        (agent.name, len(agent.input_guardrails), len(agent.output_guardrails))
        for part in chart.walk()
        for agent in part.agents
    ]
    assert names == [("A", 1, 1), ("B", 0, 1), ("Inner", 1, 1)]


def test_what_error_handlers_answer_has_a_state_in_the_root_alone() -> None:
    agent = Agent[Any](name="A", tools=[Agent[Any](name="In").as_tool("ask", "Ask.")])
    chart = lowered(agent, RunScope.of(None, {"max_turns": print}))
    recovering = [
        sum(state.kind is StateKind.RECOVERING for state in part.states) for part in chart.walk()
    ]
    assert recovering == [1, 0]


def test_a_program_is_kept_for_each_scope_from_the_second_run_on() -> None:
    agent = Agent[Any](name="A")
    config = RunConfig(output_guardrails=[OutputGuardrail(verdict)])
    assert program_for(agent) is not program_for(agent)
    assert program_for(agent, RunScope.of(config)) is not program_for(agent, RunScope.of(config))
    plain, guarded = program_for(agent), program_for(agent, RunScope.of(config))
    assert program_for(agent) is plain
    assert program_for(agent, RunScope.of(config)) is guarded
    assert plain.machine.fingerprint != guarded.machine.fingerprint


class Made(SimpleNamespace):
    """An agent of another package: the published SDK's attribute names, nothing of ours."""


def made_elsewhere(**fields: Any) -> Any:
    return Made(
        **{
            "name": "Foreign",
            "handoff_description": None,
            "instructions": None,
            "tools": [],
            "handoffs": [],
            "model": None,
            "model_settings": SimpleNamespace(tool_choice=None),
            "tool_use_behavior": "run_llm_again",
            "reset_tool_choice": True,
            **fields,
        }
    )


def test_agents_of_another_make_are_read_by_their_shape() -> None:
    tool = SimpleNamespace(
        name="look_up", description="", params_json_schema={}, on_invoke_tool=print
    )
    hosted = SimpleNamespace(name="web_search")
    second, third = made_elsewhere(name="Second"), made_elsewhere(name="Third")
    taken = SimpleNamespace(
        tool_name="go",
        tool_description="",
        input_json_schema={},
        agent_name="Third",
        is_enabled=lambda context, agent: True,
        _agent_ref=lambda: third,
    )
    first = made_elsewhere(tools=[tool, hosted], handoffs=[second, taken])
    agents = lowered(first).agents
    assert [agent.name for agent in agents] == ["Foreign", "Second", "Third"]
    assert [row.kind for row in agents[0].tools] == [WorkKind.FUNCTION, None]
    assert [(row.name, row.target) for row in agents[0].handoffs] == [
        ("transfer_to_second", "second"),
        ("go", "third"),
    ]
    assert compile(first).machine.agents[0].name == "Foreign"


def test_what_is_only_decided_in_a_run_is_said() -> None:
    @function_tool(is_enabled=lambda context, agent: True)
    def look_up(word: str) -> str:
        return word

    agent = Agent[Any](
        name="A",
        tools=[look_up],
        handoffs=[handoff(Agent(name="B"), is_enabled=lambda context, agent: True)],
        mcp_servers=[SimpleNamespace(name="files")],
        tool_use_behavior=lambda context, results: None,  # type: ignore[arg-type,return-value]
    )
    assert declared(agent).unseen == (
        "a function decides on each turn whether tool 'look_up' is enabled",
        "a function decides on each turn whether the handoff to 'B' is enabled",
        "the run lists the tools of MCP server 'files'",
        "a function (tool_use_behavior) decides whether a tool output ends the run",
    )


def test_what_is_disabled_for_good_is_declared_but_never_reached() -> None:
    @function_tool(is_enabled=False)
    def look_up(word: str) -> str:
        return word

    off = handoff(Agent(name="B"), is_enabled=False)
    chart = lowered(Agent(name="A", tools=[look_up], handoffs=[off]))
    assert chart.agents[0].tools[0].enabled is Enabled.NEVER
    assert chart.agents[0].handoffs[0].enabled is Enabled.NEVER
    # Its calls would be answered as those of a missing tool, but no reply gets there.
    reached = {
        chart.state[row.target].kind for state in chart.states for row in moves(chart, state)
    }
    assert {StateKind.ACTING, StateKind.HANDOFF}.isdisjoint(reached)
    assert {offer.kind for state in chart.states for offer in state.offers} == {WorkKind.MISSING}


def test_what_the_user_allows_stands_on_the_declaration() -> None:
    @input_guardrail
    def on_topic(context: Any, agent: Any, input: Any) -> GuardrailFunctionOutput:
        return verdict()

    @function_tool
    def look_up(word: str) -> str:
        return word

    target = Agent[Any](name="B")
    agent = allow(
        Agent[Any](
            name="A",
            tools=[allow(look_up, "AG101")],
            handoffs=[allow(handoff(target), "AG204", "AG103")],
            input_guardrails=[allow(on_topic, "AG501")],
        ),
        "AG201",
    )
    declaration = declared(agent)
    assert declaration.allowed == ("AG201",)
    assert declaration.tools[0].allowed == ("AG101",)
    assert declaration.handoffs[0].allowed == ("AG103", "AG204")
    assert declaration.input_guardrails[0].allowed == ("AG501",)


def test_a_binding_makes_the_handoff_of_an_agent_listed_by_itself_once() -> None:
    target = Agent[Any](name="Target", handoff_description="Knows more.")
    _, bindings = lower(Workflow("W", Agent(name="A", handoffs=[target]), [target]))
    (bound,) = bindings.agents["a"].handoffs
    assert bound.handoff is bound.handoff
    assert bound.handoff.tool_name == bound.name == "transfer_to_target"
    assert "Knows more." in bound.handoff.tool_description


def test_an_agent_of_no_machine_has_no_identity() -> None:
    agent = Agent[Any](name="A")
    _, bindings = lower(agent)
    assert bindings.id_of(agent) == "a"
    with pytest.raises(KeyError, match="'B' is not part of this machine"):
        bindings.id_of(Agent(name="B"))


def test_further_starts_are_agents_of_the_chart_each_once_and_in_document_order() -> None:
    twins = [Agent[Any](name="Desk") for _ in range(2)]
    start = Agent[Any](name="Start", handoffs=[*twins])
    chart, _ = lower(start, starts=[twins[1], twins[0], twins[1], start], multi_turn=True)
    assert (chart.start, chart.starts, chart.multi_turn) == ("start", ("desk", "desk_2"), True)
    plain, _ = lower(start, starts=[twins[1]])
    assert (plain.starts, plain.multi_turn) == (("desk_2",), False)


def test_a_start_that_the_workflow_does_not_contain_is_refused() -> None:
    stranger = Agent[Any](name="Stranger")
    with pytest.raises(UserError, match="Agent 'Stranger' is not part of workflow 'Start'"):
        check(Agent(name="Start"), starts=[stranger])


def test_the_machine_of_an_agent_tool_that_is_disabled_for_good_is_not_there() -> None:
    inner = Agent(name="B", handoffs=[Agent(name="C")])
    off = inner.as_tool("ask", "Ask.", is_enabled=False)
    sometimes = inner.as_tool("ask", "Ask.", is_enabled=lambda context, agent: False)
    assert lowered(Agent(name="A", tools=[off])).charts == ()
    assert [part.name for part in lowered(Agent(name="A", tools=[sometimes])).charts] == ["b"]
