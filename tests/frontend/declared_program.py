"""One program with one of everything, and every single change to what it declares."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import Any

from agentgraph import (
    Agent,
    AgentOutputSchema,
    FileSearchTool,
    FunctionTool,
    GuardrailFunctionOutput,
    HostedMCPTool,
    InputGuardrail,
    ModelSettings,
    OutputGuardrail,
    RunConfig,
    RunContextWrapper,
    ToolsToFinalOutputResult,
    WebSearchTool,
    function_tool,
    handoff,
)
from agentgraph.frontend.lower_workflow import lower
from agentgraph.frontend.scope import RunScope
from agentgraph_compiler.emit import emit


@dataclass
class Answer:
    text: str


@dataclass
class LongAnswer:
    text: str
    pages: int


@dataclass
class Order:
    number: int


def verdict(*arguments: Any) -> GuardrailFunctionOutput:
    return GuardrailFunctionOutput(None, False)


def other_verdict(*arguments: Any) -> GuardrailFunctionOutput:
    return GuardrailFunctionOutput(None, True)


def instructions(context: RunContextWrapper[Any], agent: Any) -> str:
    return ""


def other_instructions(tone: str, context: RunContextWrapper[Any], agent: Any) -> str:
    return ""


def always(context: Any, agent: Any) -> bool:
    return True


def never_ends(context: Any, results: Any) -> ToolsToFinalOutputResult:
    return ToolsToFinalOutputResult(False)


async def approve(context: Any, arguments: Any, call_id: str) -> bool:
    return True


async def taken(context: Any, input: Order) -> None:
    return None


def shortened(data: Any) -> Any:
    return data


async def invoke(context: Any, arguments: str) -> str:
    return ""


async def other_invoke(context: Any, arguments: str) -> str:
    return "other"


def look_up(word: str) -> str:
    return word


def look_up_twice(word: str) -> str:
    return word * 2


def noted(context: Any) -> None:
    return None


def noted_twice(context: Any) -> None:
    return None


def tool(**fields: Any) -> FunctionTool:
    schema = {"type": "object", "properties": {"word": {"type": "string"}}}
    declared = {"name": "t", "description": "Looks up.", "params_json_schema": schema, **fields}
    return FunctionTool(**{"on_invoke_tool": invoke, **declared})


CHANGES: dict[str, dict[str, Any]] = {
    "unchanged": {},
    "name": {"name": "Begin"},
    "instructions": {"instructions": "Be long."},
    "instructions by a function": {"instructions": instructions},
    "instructions by a partial": {"instructions": partial(other_instructions, "warm")},
    "instructions by another partial": {"instructions": partial(other_instructions, "cold")},
    "prompt": {"prompt": {"id": "p"}},
    "model": {"model": "large"},
    "temperature": {"model_settings": ModelSettings(temperature=0.5)},
    "tool choice": {"model_settings": ModelSettings(tool_choice="required")},
    "headers": {"model_settings": ModelSettings(extra_headers={"x": "1"})},
    "objects in arguments": {"model_settings": ModelSettings(extra_args={"a": {object()}})},
    "sets in arguments": {"model_settings": ModelSettings(extra_args={"a": {"x", "y", "z"}})},
    "output type": {"output_type": Answer},
    "another schema": {"output_type": LongAnswer},
    "a schema that is not strict": {"output_type": AgentOutputSchema(Answer, False)},
    "a list": {"output_type": list[Answer]},
    "stop on first": {"tool_use_behavior": "stop_on_first_tool"},
    "stop at names": {"tool_use_behavior": {"stop_at_tool_names": ["t"]}},
    "stop as a function says": {"tool_use_behavior": never_ends},
    "reset tool choice": {"reset_tool_choice": False},
    "mcp config": {"mcp_config": {"include_server_in_tool_names": True}},
    "no tool": {"tools": []},
    "tool name": {"tools": [tool(name="T")]},
    "tool description": {"tools": [tool(description="Finds.")]},
    "tool schema": {"tools": [tool(params_json_schema={"type": "object", "properties": {}})]},
    "tool not strict": {"tools": [tool(strict_json_schema=False)]},
    "tool enabled by a function": {"tools": [tool(is_enabled=always)]},
    "tool of another function": {"tools": [tool(on_invoke_tool=other_invoke)]},
    "tool made of a function": {"tools": [function_tool(look_up)]},
    "tool made of another": {"tools": [function_tool(look_up_twice, name_override="look_up")]},
    "tool approved": {"tools": [tool(needs_approval=True)]},
    "tool approved by a function": {"tools": [tool(needs_approval=approve)]},
    "tool timeout": {"tools": [tool(timeout_seconds=1.0)]},
    "hosted tool": {"tools": [tool(), WebSearchTool()]},
    "hosted tool's setting": {"tools": [tool(), WebSearchTool(search_context_size="high")]},
    "hosted tool first": {"tools": [WebSearchTool(), tool()]},
    "stores": {"tools": [tool(), FileSearchTool(vector_store_ids=["a"])]},
    "other stores": {"tools": [tool(), FileSearchTool(vector_store_ids=["b"])]},
    "hosted server": {"tools": [tool(), HostedMCPTool({"type": "mcp", "server_label": "s"})]},
    "agent tool": {"tools": [tool(), Agent(name="In").as_tool("ask", "Ask.")]},
    "agent tool's text": {"tools": [tool(), Agent(name="In").as_tool("ask", "Tell.")]},
    "agent tool's turns": {"tools": [tool(), Agent(name="In").as_tool("ask", "Ask.", max_turns=2)]},
    "agent tool's agent": {
        "tools": [tool(), Agent(name="In", instructions="Go.").as_tool("ask", "Ask.")]
    },
    "agent tool's run": {
        "tools": [
            tool(),
            Agent(name="In").as_tool(
                "ask", "Ask.", run_config={"input_guardrails": [InputGuardrail(verdict)]}
            ),
        ]
    },
    "no handoff": {"handoffs": []},
    "handoff description": {"handoffs": [Agent(name="Other", handoff_description="Knows.")]},
    "handoff name": {"handoffs": [handoff(Agent(name="Other"), tool_name_override="Go")]},
    "handoff spelled otherwise": {
        "handoffs": [handoff(Agent(name="Other"), tool_name_override="go")]
    },
    "handoff schema": {
        "handoffs": [handoff(Agent(name="Other"), on_handoff=taken, input_type=Order)]
    },
    "handoff noted": {"handoffs": [handoff(Agent(name="Other"), on_handoff=noted)]},
    "handoff noted otherwise": {"handoffs": [handoff(Agent(name="Other"), on_handoff=noted_twice)]},
    "handoff filter": {"handoffs": [handoff(Agent(name="Other"), input_filter=shortened)]},
    "handoff by a function": {"handoffs": [handoff(Agent(name="Other"), is_enabled=always)]},
    "no guardrail": {"input_guardrails": []},
    "guardrail of another function": {
        "input_guardrails": [InputGuardrail(other_verdict, name="verdict")]
    },
    "guardrail name": {"input_guardrails": [InputGuardrail(verdict, name="Verdict")]},
    "guardrail blocks": {"input_guardrails": [InputGuardrail(verdict, run_in_parallel=False)]},
    "output guardrail": {"output_guardrails": [OutputGuardrail(verdict)]},
    "output guardrail name": {"output_guardrails": [OutputGuardrail(verdict, name="Verdict")]},
}
SCOPES: dict[str, RunScope] = {
    "turns recovered": RunScope.of(None, {"max_turns": print}),
    "refusals recovered": RunScope.of(None, {"model_refusal": print}),
    "missing tools answered": RunScope.of(
        RunConfig(tool_not_found_behavior="return_error_to_model")
    ),
    "guardrail of the run": RunScope.of(RunConfig(output_guardrails=[OutputGuardrail(verdict)])),
}


def program(change: dict[str, Any]) -> Agent[Any]:
    declared = {
        "name": "Start",
        "instructions": "Be brief.",
        "model": "small",
        "tools": [tool()],
        "handoffs": [Agent(name="Other")],
        "input_guardrails": [InputGuardrail(verdict)],
        **change,
    }
    return Agent(**declared)


def fingerprints() -> dict[str, str]:
    """The fingerprint of every variant."""
    fingerprint_of = {name: emit(lower(program(CHANGES[name]))[0]).fingerprint for name in CHANGES}
    for name, scope in SCOPES.items():
        fingerprint_of[name] = emit(lower(program({}), scope)[0]).fingerprint
    return fingerprint_of
