"""The contents of spans as attributes of the GenAI semantic conventions of OpenTelemetry.

Texts of the user, the model and the tools become attributes only if `content` is true.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final
from urllib.parse import urlsplit

from pydantic_core import to_json, to_jsonable_python

from agentgraph.tracing.span_data import (
    AgentSpanData,
    CustomSpanData,
    FunctionSpanData,
    GenerationSpanData,
    GuardrailSpanData,
    HandoffSpanData,
    MCPListToolsSpanData,
    ResponseSpanData,
    SpanData,
)

__all__ = ["CONVENTIONS_VERSION", "GUARDRAIL_RESULT", "attributes", "guardrail_result", "span_name"]

CONVENTIONS_VERSION: Final = "1.41.1"
"""The version of the semantic conventions; the result of a guardrail is of their later draft."""

GUARDRAIL_RESULT: Final = "gen_ai.guardrail.result"
"""The name of the event that holds the verdict of a guardrail."""

_PROVIDERS: Final = {
    "api.openai.com": "openai",
    "api.anthropic.com": "anthropic",
    "generativelanguage.googleapis.com": "gcp.gemini",
    "api.mistral.ai": "mistral_ai",
    "api.groq.com": "groq",
    "api.deepseek.com": "deepseek",
    "api.x.ai": "x_ai",
    "api.perplexity.ai": "perplexity",
}
"""The conventions' names of providers, by host."""

_SETTINGS: Final = (
    "temperature",
    "top_p",
    "top_k",
    "frequency_penalty",
    "presence_penalty",
    "max_tokens",
)

Attributes = dict[str, Any]


def span_name(data: SpanData) -> tuple[str, str | None]:
    """The name of a span, and the operation that it is about, if the conventions have one."""
    match data:
        case AgentSpanData():
            return f"invoke_agent {data.name}", "invoke_agent"
        case GenerationSpanData() | ResponseSpanData():
            model = getattr(data, "model", None)
            return f"chat {model}" if model else "chat", "chat"
        case FunctionSpanData():
            return f"execute_tool {data.name}", "execute_tool"
        case GuardrailSpanData():
            return f"apply_guardrail {data.name}", "apply_guardrail"
        case HandoffSpanData():
            return f"handoff {data.to_agent}", "handoff"
        case MCPListToolsSpanData():
            return f"tools/list {data.server}", None
        case CustomSpanData():
            return data.name, None
        case _:
            return data.type, None


def attributes(data: SpanData, *, content: bool) -> Attributes:
    """The attributes of a span that has ended.

    Args:
        data: The contents of the span.
        content: Whether texts are attributes.
    """
    match data:
        case AgentSpanData():
            return {"gen_ai.agent.name": data.name}
        case GenerationSpanData():
            return _generation(data, content=content)
        case ResponseSpanData():
            return _response(data, content=content)
        case FunctionSpanData():
            return _function(data, content=content)
        case GuardrailSpanData():
            return {"gen_ai.guardrail.policy.id": data.name}
        case HandoffSpanData():
            source, target = data.from_agent or "", data.to_agent or ""
            return {"gen_ai.agent.name": source, "agentgraph.handoff.target": target}
        case CustomSpanData() if content:
            return {"agentgraph.span.data": _json(data.data)}
        case _:
            return {}


def guardrail_result(data: GuardrailSpanData) -> Attributes:
    """The attributes of the event about the verdict of a guardrail."""
    return {
        "gen_ai.guardrail.component.name": "agentgraph",
        "gen_ai.guardrail.policy.id": data.name,
        "gen_ai.guardrail.result.type": "tripwire_triggered",
        "gen_ai.guardrail.result.value": json.dumps(bool(data.triggered)),
    }


def _function(data: FunctionSpanData, *, content: bool) -> Attributes:
    values: Attributes = {"gen_ai.tool.name": data.name, "gen_ai.tool.type": "function"}
    if data.mcp_data:
        values["agentgraph.mcp.server"] = str(data.mcp_data.get("server"))
    if content:
        if data.input is not None:
            values["gen_ai.tool.call.arguments"] = data.input
        if data.output is not None:
            values["gen_ai.tool.call.result"] = str(data.output)
    return values


def _generation(data: GenerationSpanData, *, content: bool) -> Attributes:
    values = _request(data.model, data.model_config or {}) | _usage(data.usage)
    if content:
        items = [*(data.input or ())]
        system = [one for one in items if one.get("role") == "system"]
        rest = [one for one in items if one.get("role") != "system"]
        texts = [str(one.get("content")) for one in system]
        values |= _messages("\n".join(texts), rest, data.output or ())
    return values


def _response(data: ResponseSpanData, *, content: bool) -> Attributes:
    response = data.response
    values = _request(getattr(data, "model", None), getattr(data, "model_config", None) or {})
    values.setdefault("gen_ai.provider.name", "openai")
    values |= _usage(data.usage)
    if response is None:
        return values
    if response.id:
        values["gen_ai.response.id"] = response.id
    if response.model:
        values["gen_ai.response.model"] = response.model
    if content:
        items = data.input
        sent = [{"role": "user", "content": items}] if isinstance(items, str) else items or []
        output = to_jsonable_python(response.output, fallback=str)
        values |= _messages(str(response.instructions or ""), sent, output)
    return values


def _request(model: str | None, settings: Mapping[str, Any]) -> Attributes:
    values: Attributes = {"gen_ai.request.model": model} if model else {}
    for name in _SETTINGS:
        if settings.get(name) is not None:
            values[f"gen_ai.request.{name}"] = settings[name]
    host = urlsplit(str(settings.get("base_url") or "")).hostname
    if host:
        values["server.address"] = host
        values["gen_ai.provider.name"] = _PROVIDERS.get(host, host)
    return values


def _usage(usage: Mapping[str, Any] | None) -> Attributes:
    if not usage:
        return {}
    sent, received = (usage.get(f"{way}_tokens_details") or {} for way in ("input", "output"))
    counts = {
        "input_tokens": usage.get("input_tokens"),
        "output_tokens": usage.get("output_tokens"),
        "cache_read.input_tokens": sent.get("cached_tokens") or None,
        "cache_creation.input_tokens": sent.get("cache_write_tokens") or None,
        "reasoning.output_tokens": received.get("reasoning_tokens") or None,
    }
    return {f"gen_ai.usage.{name}": n for name, n in counts.items() if n is not None}


def _messages(
    instructions: str, sent: Sequence[Any], received: Sequence[Mapping[str, Any]]
) -> Attributes:
    values = {
        "gen_ai.input.messages": _json(list(map(_message, sent))),
        "gen_ai.output.messages": _json([_message(one, "assistant") for one in received]),
    }
    if instructions:
        values["gen_ai.system_instructions"] = _json([{"type": "text", "content": instructions}])
    return values


def _message(item: Mapping[str, Any], role: str = "user") -> dict[str, Any]:
    """One item of the Responses API as a message of the conventions."""
    kind = item.get("type") or "message"
    if kind == "message":
        content = item.get("content")
        parts = [content] if isinstance(content, str) else content or []
        return {"role": item.get("role", role), "parts": list(_parts(parts))}
    if kind == "function_call":
        call = {"type": "tool_call", "id": item.get("call_id"), "name": item.get("name")}
        return {"role": "assistant", "parts": [{**call, "arguments": item.get("arguments")}]}
    if kind.endswith("_output"):
        answer = {"type": "tool_call_response", "id": item.get("call_id")}
        return {"role": "tool", "parts": [{**answer, "response": item.get("output")}]}
    return {"role": "assistant", "parts": [{**item, "type": kind}]}


def _parts(parts: Sequence[str | Mapping[str, Any]]) -> Iterator[Mapping[str, Any]]:
    for part in parts:
        if isinstance(part, str):
            yield {"type": "text", "content": part}
            continue
        text = part.get("text") or part.get("refusal")
        yield part if text is None else {"type": "text", "content": text}


def _json(value: object) -> str:
    return to_json(value, inf_nan_mode="null", fallback=str).decode()
