"""Agents that change while they are run: the run goes on in the machine of what they are now, and
what did not change is not compiled again (issue "The spine", section 3)."""

from __future__ import annotations

import copy
from typing import Any

import pytest

import agentgraph.program
from agentgraph import (
    Agent,
    CompileError,
    GuardrailFunctionOutput,
    MaxTurnsExceeded,
    ModelSettings,
    RunConfig,
    SQLiteSession,
    Workflow,
    function_tool,
    handoff,
    input_guardrail,
    output_guardrail,
)
from agentgraph.frontend import reading
from agentgraph.testing import ScriptedModel, assistant_message, function_call
from tests.api.calls import call, echo, script
from tests.api.conftest import Play


@pytest.fixture
def lowered(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The names of what was lowered, in order."""
    names: list[str] = []
    read = reading.read

    def counting(source: Any, *rest: Any, **options: Any) -> Any:
        names.append(source.name)
        return read(source, *rest, **options)

    monkeypatch.setattr(agentgraph.program, "read", counting)
    return names


@function_tool
async def late() -> str:
    """Answer late."""
    return "late"


def growing(change: Any) -> Any:
    """A tool that changes something."""

    @function_tool
    async def grow() -> str:
        change()
        return "grown"

    return grow


async def test_a_tool_added_in_a_turn_can_be_called_in_the_next(play: Play) -> None:
    model = script([call("grow")], [call("late", "c2")])
    agent: Agent[Any] = Agent(name="A", model=model)
    agent.tools.append(growing(lambda: agent.tools.append(late)))
    played = await play(agent)
    assert played.outputs == ["grown", "late"]
    assert [len(asked.tools) for asked in model.calls] == [1, 2, 2]


async def test_a_handoff_added_in_a_turn_can_be_taken_in_the_next(play: Play) -> None:
    second = Agent(name="B", model=script(answer="from b"))
    model = script([call("grow")], [function_call("transfer_to_b", {}, call_id="h1")])
    agent: Agent[Any] = Agent(name="A", model=model)
    agent.tools.append(growing(lambda: agent.handoffs.append(second)))
    played = await play(agent)
    assert played.final == "from b"
    assert played.result.last_agent is second


async def test_an_agent_tool_added_in_a_turn_can_be_called_in_the_next(play: Play) -> None:
    inner = Agent(name="Inner", model=script(answer="from inside"))
    model = script([call("grow")], [call("ask", "c2", input="q")])
    agent: Agent[Any] = Agent(name="A", model=model)
    agent.tools.append(growing(lambda: agent.tools.append(inner.as_tool("ask", "Ask."))))
    assert (await play(agent)).outputs == ["grown", "from inside"]


async def test_a_list_of_tools_replaced_as_a_whole_is_noticed(play: Play) -> None:
    model = script([call("grow")], [call("late", "c2")])
    agent: Agent[Any] = Agent(name="A", model=model)

    def replace() -> None:
        agent.tools = [late]

    agent.tools.append(growing(replace))
    assert (await play(agent)).outputs == ["grown", "late"]
    assert [tool.name for tool in model.calls[1].tools] == ["late"]


async def test_what_else_is_read_on_every_turn_may_change_too(play: Play) -> None:
    model = script([call("grow")])
    other = script([assistant_message("from the other model")])
    agent: Agent[Any] = Agent(name="A", model=model, instructions="one")

    def change() -> None:
        agent.instructions = "two"
        agent.model = other
        agent.model_settings.temperature = 0.5
        agent.output_type = str

    agent.tools.append(growing(change))
    config = RunConfig(model_settings=ModelSettings(top_p=0.25))
    assert (await play(agent, run_config=config)).final == "from the other model"
    assert other.calls[0].system_instructions == "two"
    assert other.calls[0].model_settings.temperature == 0.5
    assert other.calls[0].model_settings.top_p == 0.25


@pytest.mark.parametrize("to", [True, False])
async def test_a_flag_that_is_flipped_shows_or_hides_what_it_is_on(play: Play, to: bool) -> None:
    second = Agent(name="B", model=script())
    entry = handoff(second, is_enabled=not to)
    tool = copy.copy(late)
    tool.is_enabled = not to
    model = script([call("grow")])

    def flip() -> None:
        entry.is_enabled = tool.is_enabled = to

    agent: Agent[Any] = Agent(name="A", model=model, handoffs=[entry], tools=[tool, growing(flip)])
    await play(agent)
    counts = [(len(asked.tools), len(asked.handoffs)) for asked in model.calls]
    assert counts == ([(1, 0), (2, 1)] if to else [(2, 1), (1, 0)])


async def test_an_agent_changed_before_it_is_handed_to_is_met_as_it_is_then(play: Play) -> None:
    second: Agent[Any] = Agent(name="B", model=script([call("late", "c2")], answer="from b"))
    handing_over = function_call("transfer_to_b", {}, call_id="h1")
    model = script([call("grow"), handing_over])
    first = Agent(
        name="A",
        model=model,
        handoffs=[second],
        tools=[growing(lambda: second.tools.append(late))],
    )
    played = await play(first)
    assert played.final == "from b"
    assert "late" in played.outputs


async def test_an_agent_cut_off_from_the_start_goes_on_with_what_it_can_reach(play: Play) -> None:
    third = Agent(name="C", model=script(answer="from c"))
    onward = function_call("transfer_to_c", {}, call_id="h2")
    second: Agent[Any] = Agent(name="B", model=script([call("grow", "c1")], [onward]))
    first: Agent[Any] = Agent(
        name="A",
        model=script([function_call("transfer_to_b", {}, call_id="h1")]),
        handoffs=[second],
    )

    def cut() -> None:
        first.handoffs.clear()
        second.handoffs.append(third)

    second.tools.append(growing(cut))
    assert (await play(first)).final == "from c"


async def test_a_change_that_introduces_an_error_ends_the_run_before_the_next_call(
    play: Play,
) -> None:
    model, session = script([call("grow")]), SQLiteSession("s")
    agent: Agent[Any] = Agent(name="A", model=model)

    @function_tool(name_override="late")
    async def impostor() -> str:
        return "?"

    agent.tools.append(growing(lambda: agent.tools.extend([late, impostor])))
    with pytest.raises(CompileError, match="late") as caught:
        await play(agent, session=session)
    assert len(model.calls) == 1
    data = caught.value.run_data
    assert data is not None
    assert data.last_agent is agent
    assert [item.type for item in data.new_items] == ["tool_call_item", "tool_call_output_item"]
    # The turn was finished, so it is stored.
    assert len(await session.get_items()) == 3


async def test_a_handoff_out_of_a_declared_workflow_is_an_error_when_it_appears(play: Play) -> None:
    stranger = Agent(name="Stranger")
    model = script([call("grow")])
    agent: Agent[Any] = Agent(name="A", model=model)
    agent.tools.append(growing(lambda: agent.handoffs.append(stranger)))
    with pytest.raises(CompileError, match="Stranger"):
        await play(Workflow("closed", agent))
    assert len(model.calls) == 1


async def test_unchanged_agents_are_not_compiled_after_the_second_run(
    play: Play, lowered: list[str]
) -> None:
    second = Agent(name="B", model=ScriptedModel(lambda _: [assistant_message("from b")]))
    replies = [
        [call("echo", "c1", text="x")],
        [function_call("transfer_to_b", {}, call_id="h1")],
    ]
    agent = Agent(name="A", tools=[echo], handoffs=[second])
    for _ in range(4):
        agent.model = ScriptedModel(replies)
        await play(agent)
    # The program of the first run is not kept: an agent that is made for one run must not wait
    # for the collector.
    assert lowered == ["A", "A"]
    agent.handoffs.clear()
    agent.model = script()
    await play(agent)
    assert lowered == ["A", "A", "A"]


async def test_a_change_is_compiled_once_however_many_turns_follow(
    play: Play, lowered: list[str]
) -> None:
    model = script([call("grow")], *[[call("late", f"l{turn}")] for turn in range(5)])
    agent: Agent[Any] = Agent(name="A", model=model)
    agent.tools.append(growing(lambda: agent.tools.append(late)))
    await play(agent)
    assert lowered == ["A", "A"]


async def test_a_change_between_two_runs_is_noticed(play: Play) -> None:
    agent: Agent[Any] = Agent(name="A", model=script())
    await play(agent)
    agent.tools.append(late)
    agent.model = script([call("late")])
    assert (await play(agent)).outputs == ["late"]


async def test_a_copy_of_an_agent_that_ran_is_an_agent_of_its_own(play: Play) -> None:
    model = ScriptedModel(lambda _: [assistant_message("ok")])
    agent: Agent[Any] = Agent(name="A", instructions="one", model=model)
    await play(agent)
    twin = copy.copy(agent)
    twin.instructions = "two"
    clone = agent.clone(instructions="three")
    deep = copy.deepcopy(agent)
    deep.instructions, deep.model = "four", model
    for one in (twin, clone, deep, agent):
        played = await play(one)
        assert played.result.last_agent is one
    assert [asked.system_instructions for asked in model.calls] == [
        "one",
        "two",
        "three",
        "four",
        "one",
    ]


async def test_an_agent_tool_that_grows_keeps_to_its_own_run(play: Play) -> None:
    """It goes on with its own limit of turns and its own guardrails, not with those outside."""
    judged: list[str] = []

    @output_guardrail
    def judge(_: Any, agent: Any, output: Any) -> GuardrailFunctionOutput:
        judged.append(agent.name)
        return GuardrailFunctionOutput(None, False)

    def reply(asked: Any) -> list[Any]:
        turn = len(asked.input)
        return [call("grow" if turn == 1 else "late", f"i{turn}")]

    inner: Agent[Any] = Agent(name="Inner", model=ScriptedModel(reply))
    inner.tools.append(growing(lambda: inner.tools.append(late)))
    tool = inner.as_tool(
        "ask", "Ask.", max_turns=3, run_config=RunConfig(), failure_error_function=None
    )
    outer = Agent(name="Outer", model=script([call("ask", input="q")]), tools=[tool])
    with pytest.raises(MaxTurnsExceeded, match=r"Max turns \(3\)"):
        await play(
            outer,
            run_config=RunConfig(output_guardrails=[judge]),
            error_handlers={"max_turns": lambda _: "never asked"},
        )
    assert judged == []


async def test_an_agent_tool_changed_between_two_turns_is_met_as_it_is_then(play: Play) -> None:
    """Its guardrails included: they are part of the machine that it starts with."""
    asked: list[str] = []

    @input_guardrail
    def ask(*_: Any) -> GuardrailFunctionOutput:
        asked.append("first")
        return GuardrailFunctionOutput(None, False)

    @input_guardrail
    def ask_too(*_: Any) -> GuardrailFunctionOutput:
        asked.append("second")
        return GuardrailFunctionOutput(None, False)

    inner: Agent[Any] = Agent(
        name="Inner", model=script([call("late")], answer="inside"), input_guardrails=[ask]
    )

    def change() -> None:
        inner.tools.append(late)
        inner.input_guardrails.append(ask_too)

    model = script([call("grow")], [call("ask", "c2", input="q")])
    outer = Agent(name="Outer", model=model, tools=[growing(change), inner.as_tool("ask", "Ask.")])
    assert (await play(outer)).outputs == ["grown", "inside"]
    assert sorted(asked) == ["first", "second"]


async def test_the_answer_to_an_unknown_tool_holds_inside_agent_tools_too(play: Play) -> None:
    inner = Agent(name="Inner", model=script([call("absent")], answer="inside"))
    outer = Agent(
        name="Outer",
        model=script([call("ask", "c2", input="q")]),
        tools=[inner.as_tool("ask", "Ask.")],
    )
    config = RunConfig(tool_not_found_behavior="return_error_to_model")
    assert (await play(outer, run_config=config)).outputs == ["inside"]


async def test_a_run_of_a_program_is_a_run_of_what_it_was_compiled_from(play: Play) -> None:
    agent: Agent[Any] = Agent(name="A", model=script([call("late")]))
    program = agentgraph.program.compile(agent)
    agent.tools.append(late)
    assert (await play(program)).outputs == ["late"]


async def test_used_tools_are_remembered_by_agent_and_not_by_identity_in_the_machine(
    play: Play,
) -> None:
    """Two agents share a name; after a change the second gets the identity of the first."""
    last = Agent(name="B", model=script([call("late", "c9")]), tools=[late])
    last.model_settings.tool_choice = "required"
    first_b: Agent[Any] = Agent(
        name="B",
        model=script([call("swap", "c2")], [function_call("transfer_to_other", {}, call_id="h2")]),
    )
    start: Agent[Any] = Agent(
        name="A",
        model=script([function_call("transfer_to_b", {}, call_id="h1")]),
        handoffs=[first_b, handoff(last, tool_name_override="transfer_to_other")],
    )

    @function_tool
    async def swap() -> str:
        start.handoffs.clear()
        first_b.handoffs.append(handoff(last, tool_name_override="transfer_to_other"))
        return "swapped"

    first_b.tools.append(swap)
    await play(start)
    assert isinstance(last.model, ScriptedModel)
    choices = [asked.model_settings.tool_choice for asked in last.model.calls]
    assert choices == ["required", None]
