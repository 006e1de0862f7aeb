"""The context of a tool call: what it adds and what it shares with the run."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest

from agentgraph.agent import Agent
from agentgraph.exceptions import AgentsException, UserError
from agentgraph.model_settings import ModelSettings
from agentgraph.run_config import RunConfig
from agentgraph.run_context import RunContextWrapper
from agentgraph.tool_context import ToolContext
from agentgraph.usage import Usage

CALL: dict[str, Any] = {"tool_name": "t", "tool_call_id": "c", "tool_arguments": "{}"}


def test_it_carries_the_call() -> None:
    context = ToolContext("ctx", **CALL)
    assert (context.context, context.tool_name, context.tool_call_id) == ("ctx", "t", "c")
    assert context.tool_arguments == "{}"
    assert context.qualified_tool_name == "t"
    assert ToolContext(None, **CALL, tool_namespace="crm").qualified_tool_name == "crm.t"


@pytest.mark.parametrize("missing", CALL)
def test_a_call_is_never_anonymous(missing: str) -> None:
    others = {name: value for name, value in CALL.items() if name != missing}
    with pytest.raises(ValueError, match=missing):
        ToolContext(None, **others)


def test_it_shares_context_usage_and_approvals_with_the_run() -> None:
    run = RunContextWrapper({"seen": 0})
    call = ToolContext.from_agent_context(run, "c", tool_name="t", tool_arguments="{}")
    call.context["seen"] = 1
    call.usage.add(Usage(requests=1))
    call.approve_tool(
        SimpleNamespace(name="t", tool_name="t", call_id="d", raw_item=None, agent=None)
    )
    assert run.context == {"seen": 1}
    assert run.usage.requests == 1
    assert run.is_tool_approved("t", "d") is True


def test_what_was_not_given_is_read_from_the_call_item() -> None:
    item: Any = SimpleNamespace(name="weather", arguments='{"a": 1}', namespace="geo")
    call = ToolContext.from_agent_context(RunContextWrapper(None), "c", item)
    assert call.tool_call is item
    assert call.qualified_tool_name == "geo.weather"
    assert call.tool_arguments == '{"a": 1}'
    with pytest.raises(ValueError, match="tool_name"):
        ToolContext.from_agent_context(RunContextWrapper(None), "c")


def test_a_call_within_a_call_keeps_agent_and_configuration() -> None:
    outer = ToolContext(None, **CALL, agent="agent", run_config="config")
    inner = ToolContext.from_agent_context(outer, "d", tool_name="u", tool_arguments="[]")
    assert (inner.agent, inner.run_config) == ("agent", "config")
    assert (inner.tool_name, inner.tool_call_id, inner.tool_arguments) == ("u", "d", "[]")
    assert outer.tool_name == "t"


def test_its_text_form_does_not_show_the_agent() -> None:
    assert "agent" not in repr(ToolContext(None, **CALL, agent="agent"))


def test_a_dictionary_of_its_fields_is_a_configuration() -> None:
    settings = {"workflow_name": "w", "model_settings": {"top_p": 1}}
    expected = RunConfig(workflow_name="w", model_settings=ModelSettings(top_p=1))
    outer = ToolContext(None, **CALL, run_config=settings)
    inner = ToolContext.from_agent_context(
        outer, "d", tool_name="u", tool_arguments="{}", run_config=settings
    )
    assert (outer.run_config, inner.run_config) == (expected, expected)
    with pytest.raises(UserError, match="RunConfig has no setting 'nonsense'"):
        ToolContext(None, **CALL, run_config={"nonsense": 1})


@pytest.mark.parametrize(
    ("config", "problem"), [({"nonsense": 1}, "no setting 'nonsense'"), ("fast", "a RunConfig or")]
)
def test_an_agent_tool_is_not_made_with_a_configuration_that_cannot_be(
    config: Any, problem: str
) -> None:
    with pytest.raises(AgentsException, match=problem):
        Agent(name="A").as_tool("ask", "", run_config=config)
