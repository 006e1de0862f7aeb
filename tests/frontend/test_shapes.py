"""A change to anything that was lowered is noticed; what was not lowered changes nothing."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from agentgraph import (
    Agent,
    GuardrailFunctionOutput,
    InputGuardrail,
    ModelSettings,
    OutputGuardrail,
    RunConfig,
    Workflow,
    compile,
    function_tool,
    handoff,
)
from agentgraph.testing import ScriptedModel


def verdict(*arguments: Any) -> GuardrailFunctionOutput:
    return GuardrailFunctionOutput(None, False)


@function_tool
def look_up(word: str) -> str:
    return word


class Desk:
    """A workflow with one of everything, and its parts by name."""

    def __init__(self) -> None:
        self.tool = function_tool(lambda word: word, name_override="t", strict_mode=False)
        self.inner = Agent[Any](name="Inner")
        self.run_config = RunConfig(input_guardrails=[])
        self.agent_tool = self.inner.as_tool("ask", "Ask.", run_config=self.run_config)
        self.other = Agent[Any](name="Other")
        self.handoff = handoff(self.other)
        self.entry = InputGuardrail[Any](verdict)
        self.exit = OutputGuardrail[Any](verdict)
        self.stops = ["t"]
        self.start = Agent[Any](
            name="Start",
            instructions="Be brief.",
            model="small",
            tools=[self.tool, self.agent_tool],
            handoffs=[self.handoff],
            input_guardrails=[self.entry],
            output_guardrails=[self.exit],
            tool_use_behavior={"stop_at_tool_names": self.stops},
        )


def setting(part: str, name: str, value: Any) -> Callable[[Desk], None]:
    return lambda desk: setattr(getattr(desk, part), name, value)


CHANGES: dict[str, Callable[[Desk], Any]] = {
    "another name": setting("start", "name", "Begin"),
    "other instructions": setting("start", "instructions", "Be long."),
    "another model": setting("start", "model", "large"),
    "a model of one's own": setting("start", "model", ScriptedModel([])),
    "other settings": setting("start", "model_settings", ModelSettings(temperature=0.5)),
    "settings changed in place": lambda desk: setattr(desk.start.model_settings, "top_p", 0.5),
    "an output type": setting("start", "output_type", int),
    "a stored prompt": setting("start", "prompt", {"id": "p"}),
    "a forced tool choice that stays": setting("start", "reset_tool_choice", False),
    "another end": setting("start", "tool_use_behavior", "stop_on_first_tool"),
    "another end in place": lambda desk: desk.stops.append("ask"),
    "a tool more": lambda desk: desk.start.tools.append(look_up),
    "a tool less": lambda desk: desk.start.tools.pop(),
    "tools in another order": lambda desk: desk.start.tools.reverse(),
    "a handoff more": lambda desk: desk.start.handoffs.append(Agent(name="New")),
    "no handoff": lambda desk: desk.start.handoffs.clear(),
    "a guardrail more": lambda desk: desk.start.input_guardrails.append(InputGuardrail(verdict)),
    "no output guardrail": lambda desk: desk.start.output_guardrails.clear(),
    "a tool that is switched off": setting("tool", "is_enabled", False),
    "a tool of another name": setting("tool", "name", "u"),
    "a tool described anew": setting("tool", "description", "More."),
    "a schema changed in place": lambda desk: desk.tool.params_json_schema["properties"].update(
        more={"type": "string"}
    ),
    "a handoff that is switched off": setting("handoff", "is_enabled", False),
    "a handoff described anew": setting("handoff", "tool_description", "More."),
    "a guardrail that blocks": setting("entry", "run_in_parallel", False),
    "a guardrail of another name": setting("exit", "name", "renamed"),
    "another target": setting("other", "name", "Another"),
    "a target with handoffs": lambda desk: desk.other.handoffs.append(desk.start),
    "the agent behind a tool": setting("inner", "instructions", "Be quick."),
    "another agent behind a tool": setting("agent_tool", "agent", Agent(name="New")),
    "a guardrail of the run inside": lambda desk: desk.run_config.input_guardrails.append(  # type: ignore[union-attr]
        InputGuardrail(verdict)
    ),
}


@pytest.mark.parametrize("change", CHANGES)
def test_a_change_of_what_was_lowered_is_noticed(change: str) -> None:
    desk = Desk()
    program = compile(desk.start)
    assert program.current
    CHANGES[change](desk)
    assert not program.current


@pytest.mark.parametrize(
    "change",
    [
        lambda workflow: workflow.agents.append(Agent(name="New")),
        lambda workflow: workflow.agents.pop(),
        lambda workflow: setattr(workflow, "start", workflow.agents[1]),
        lambda workflow: setattr(workflow, "name", "Other"),
    ],
)
def test_a_change_of_a_declaration_is_noticed(change: Callable[[Any], Any]) -> None:
    first = Agent[Any](name="First")
    second = Agent[Any](name="Second", handoffs=[first])
    first.handoffs.append(second)
    workflow = Workflow("W", first, [first, second, Agent(name="Third")])
    program = compile(workflow)
    assert program.current
    change(workflow)
    assert not program.current


def test_what_is_the_same_to_the_compiler_is_no_change() -> None:
    desk = Desk()
    desk.start.model = ScriptedModel([])
    program = compile(desk.start)
    desk.start.model = ScriptedModel([])
    desk.start.tools = list(desk.start.tools)
    desk.start.model_settings = ModelSettings()
    assert program.current


def test_an_agent_of_another_make_without_some_attributes_is_watched_too() -> None:
    class Made:
        name = "Made"
        tools: tuple[Any, ...] = ()
        handoffs: tuple[Any, ...] = ()
        instructions, model, model_settings = None, None, None
        tool_use_behavior, reset_tool_choice = "run_llm_again", True
        handoff_description = None

    agent = Made()
    program = compile(agent)
    assert program.current
    agent.instructions = "Be brief."  # type: ignore[assignment]
    assert not program.current
