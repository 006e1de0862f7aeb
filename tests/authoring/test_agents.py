"""An agent says at construction what is wrong with it, and resolves its parts turn by turn."""

from __future__ import annotations

import copy
import dataclasses
import pickle
from typing import Any

import pytest

from agentgraph import Agent, AgentHooks, ModelSettings, RunContextWrapper, RunHooks, UserError
from agentgraph.exceptions import AgentDefinitionError
from agentgraph.run_context import TContext
from agentgraph.tool_server import MCPConfig

NOTHING: RunContextWrapper[Any] = RunContextWrapper(None)


class StandInTool:
    """What an agent needs to know of a tool."""

    def __init__(self, name: str, is_enabled: Any = True) -> None:
        self.name = name
        self.is_enabled = is_enabled


class StandInServer:
    """A tool server that lists fixed tools."""

    def __init__(self, name: str, *tools: str) -> None:
        self.name = name
        self.tools = tools
        self.asked_with: list[Any] = []

    async def function_tools(self, run_context: Any, agent: Any, config: MCPConfig) -> list[Any]:
        self.asked_with.append((run_context, agent, config))
        return [StandInTool(name) for name in self.tools]


def plain_function() -> None: ...


WRONG_FIELDS: list[tuple[dict[str, Any], str]] = [
    ({"name": 5}, "Agent.name must be a string, not int"),
    ({"handoff_description": 4}, "handoff_description must be a string or None, not int"),
    ({"tools": ()}, "tools must be a list, not tuple"),
    ({"tools": [1]}, "tools[0] must be a tool, not int"),
    ({"tools": [StandInTool("ok"), plain_function]}, "tools[1] must be a tool, not the function"),
    ({"tools": [plain_function]}, "decorate it with @function_tool"),
    ({"tools": [Agent(name="b")]}, "not the agent 'b': use its as_tool(...)"),
    ({"mcp_servers": None}, "mcp_servers must be a list, not None"),
    ({"mcp_config": None}, "mcp_config must be a dict, not None"),
    ({"instructions": 5}, "instructions must be a string, a callable or None, not int"),
    ({"instructions": lambda context: "x"}, "callable with two arguments"),
    ({"prompt": 5}, "prompt must be a Prompt dict, a callable or None, not int"),
    ({"handoffs": None}, "handoffs must be a list, not None"),
    ({"handoffs": ["b"]}, "handoffs[0] must be an Agent, a Handoff or a Workflow, not str"),
    ({"model": 5}, "model must be a model's name, a Model or None, not int"),
    ({"model_settings": 5}, "model_settings must be a ModelSettings, not int"),
    ({"input_guardrails": [1]}, "input_guardrails[0] must be an InputGuardrail, not int"),
    ({"output_guardrails": [plain_function]}, "decorate the function with @output_guardrail"),
    ({"output_type": 5}, "output_type must be a type, an AgentOutputSchemaBase or None, not int"),
    ({"hooks": 5}, "hooks must be an AgentHooks or None, not int"),
    ({"hooks": RunHooks()}, "pass RunHooks to the runner instead"),
    ({"tool_use_behavior": "stop"}, "tool_use_behavior must be 'run_llm_again'"),
    ({"tool_use_behavior": {"stop": ["x"]}}, "a StopAtTools dict or a callable, not dict"),
    ({"reset_tool_choice": "yes"}, "reset_tool_choice must be a bool, not str"),
]


@pytest.mark.parametrize(("fields", "message"), WRONG_FIELDS)
def test_a_field_of_the_wrong_type_is_named_at_construction(
    fields: dict[str, Any], message: str
) -> None:
    with pytest.raises(AgentDefinitionError) as caught:
        Agent(**{"name": "a", **fields})
    assert message in str(caught.value)
    assert isinstance(caught.value, UserError)
    assert isinstance(caught.value, TypeError)


@pytest.mark.parametrize("output_type", [int, list[int], dict[str, int], int | None, str])
def test_whatever_describes_a_type_can_be_an_output_type(output_type: Any) -> None:
    assert Agent(name="a", output_type=output_type).output_type == output_type


@pytest.mark.parametrize(
    "behavior",
    ["run_llm_again", "stop_on_first_tool", {"stop_at_tool_names": ["t"]}, lambda c, r: None],
)
def test_every_form_of_tool_use_behavior_is_accepted(behavior: Any) -> None:
    assert Agent(name="a", tool_use_behavior=behavior).tool_use_behavior is behavior


def test_model_settings_may_be_a_dictionary() -> None:
    assert Agent(name="a", model_settings={"top_p": 0.5}).model_settings == ModelSettings(top_p=0.5)  # type: ignore[arg-type]


def test_a_clone_shares_what_is_not_replaced() -> None:
    original = Agent(name="a", instructions="be brief", tools=[StandInTool("t")])  # type: ignore[list-item]
    copy = original.clone(name="b")
    assert (copy.name, copy.instructions) == ("b", "be brief")
    assert copy.tools is original.tools
    assert original.name == "a"


def test_a_clone_is_checked_like_a_new_agent() -> None:
    with pytest.raises(AgentDefinitionError, match="model must be"):
        Agent(name="a").clone(model=5)


def test_an_agent_equals_only_itself_and_can_be_a_key() -> None:
    first, second = Agent(name="a"), Agent(name="a")
    assert first != second
    assert len({first, second, first}) == 2


class OfCustomers(Agent[int]):
    pass


class OfAnyContext(Agent[TContext]):
    pass


@pytest.mark.parametrize(
    "make",
    [
        Agent,
        Agent[int],
        Agent[int, str],
        Agent[Any, int | str],
        OfCustomers,
        OfAnyContext,
        OfAnyContext[int],
    ],
)
def test_type_parameters_of_an_agent_and_of_its_subclasses_may_be_left_out(make: Any) -> None:
    agent = make(name="Desk", output_type=str)
    assert isinstance(agent, Agent)
    assert agent.clone(name="Counter").name == "Counter"
    copied = copy.copy(agent)
    assert (type(copied), copied.name, copied.output_type) == (type(agent), "Desk", str)
    pickled = pickle.loads(pickle.dumps(agent))
    assert (type(pickled), pickled.name, pickled.output_type) == (type(agent), "Desk", str)


def test_an_agent_takes_two_type_parameters_and_no_more() -> None:
    with pytest.raises(TypeError, match="Too many arguments"):
        Agent[int, str, bool]  # type: ignore[type-arg]


def test_agents_in_a_circle_have_a_short_repr() -> None:
    first = Agent(name="first", instructions="x")
    second = Agent(name="second", handoffs=[first])
    first.handoffs.append(second)
    assert repr(first) == "Agent(name='first', instructions='x', handoffs=[<Agent 'second'>])"


def test_lists_are_not_shared_between_agents() -> None:
    first, second = Agent(name="a"), Agent(name="b")
    mutable = [
        f.name for f in dataclasses.fields(Agent) if isinstance(getattr(first, f.name), list)
    ]
    assert "handoffs" in mutable
    assert all(getattr(first, name) is not getattr(second, name) for name in mutable)


async def written(context: RunContextWrapper[Any], agent: Agent[Any]) -> str:
    return f"{agent.name} for {context.context}"


@pytest.mark.parametrize(
    ("instructions", "text"),
    [
        (None, None),
        ("plain", "plain"),
        (lambda context, agent: agent.name, "a"),
        (written, "a for ctx"),
    ],
)
async def test_instructions_are_resolved_for_the_turn(instructions: Any, text: str | None) -> None:
    agent = Agent(name="a", instructions=instructions)
    assert await agent.get_system_prompt(RunContextWrapper("ctx")) == text


async def test_instructions_that_give_no_text_are_refused() -> None:
    agent = Agent(name="a", instructions=lambda context, agent: 5)  # type: ignore[arg-type,return-value]
    with pytest.raises(UserError, match="of agent 'a' must return text, not int"):
        await agent.get_system_prompt(NOTHING)


async def test_disabled_tools_are_not_listed() -> None:
    async def asked_later(context: Any, agent: Any) -> bool:
        return bool(context.context == "yes")

    tools: list[Any] = [
        StandInTool("always"),
        StandInTool("never", is_enabled=False),
        StandInTool("asked", is_enabled=lambda context, agent: agent.name == "a"),
        StandInTool("awaited", is_enabled=asked_later),
        StandInTool("hosted", is_enabled=True),
    ]
    agent = Agent(name="a", tools=tools)
    listed = await agent.get_all_tools(RunContextWrapper("yes"))
    assert [tool.name for tool in listed] == ["always", "asked", "awaited", "hosted"]
    listed = await agent.clone(name="b").get_all_tools(RunContextWrapper("no"))
    assert [tool.name for tool in listed] == ["always", "hosted"]


async def test_a_tool_added_between_turns_is_listed_in_the_next() -> None:
    agent = Agent(name="a")
    assert await agent.get_all_tools(NOTHING) == []
    late: Any = StandInTool("late")
    agent.tools.append(late)
    assert await agent.get_all_tools(NOTHING) == [late]


async def test_tools_of_servers_come_before_the_agents_own() -> None:
    server = StandInServer("files", "read", "write")
    own: Any = StandInTool("own")
    agent = Agent(name="a", tools=[own], mcp_servers=[server], mcp_config={})
    assert [tool.name for tool in await agent.get_all_tools(NOTHING)] == ["read", "write", "own"]
    assert server.asked_with == [(NOTHING, agent, {})]


async def test_two_servers_with_one_tool_name_are_refused_by_name() -> None:
    servers = [StandInServer("files", "read"), StandInServer("web", "read")]
    agent = Agent(name="a", mcp_servers=servers)
    with pytest.raises(UserError, match=r"'a' has two MCP tools named 'read'.*'files' and 'web'"):
        await agent.get_all_tools(NOTHING)


async def test_a_prompt_callable_gets_the_context_and_the_agent() -> None:
    agent = Agent(name="a", prompt=lambda data: {"id": f"{data.agent.name}-{data.context.context}"})
    prompt = await agent.get_prompt(RunContextWrapper("ctx"))
    assert prompt == {"id": "a-ctx", "version": None, "variables": None}


async def test_a_prompt_without_an_id_is_refused() -> None:
    agent = Agent(name="a", prompt={"version": "1"})  # type: ignore[arg-type]
    with pytest.raises(UserError, match="prompt of agent 'a' must be a dictionary with an 'id'"):
        await agent.get_prompt(NOTHING)


class Listening(AgentHooks[int]):
    pass


class ListeningToAll(RunHooks):
    pass


async def test_hooks_do_nothing_unless_overridden() -> None:
    agent, context = Agent(name="a", hooks=Listening()), NOTHING
    assert agent.hooks is not None
    await agent.hooks.on_start(context, agent)  # type: ignore[arg-type]
    await agent.hooks.on_handoff(context, agent, agent)
    await ListeningToAll().on_llm_start(context, agent, None, [])
    await ListeningToAll().on_agent_end(context, agent, "output")  # type: ignore[arg-type]
