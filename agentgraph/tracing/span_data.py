"""What a span is about: one class for each kind of work.

Rule: `export` gives plain values under the names that the SDK's dashboard and exporters know.
"""

from __future__ import annotations

import abc
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from typing import TYPE_CHECKING, Any, ClassVar

if TYPE_CHECKING:
    from openai.types.responses import Response, ResponseInputItemParam

__all__ = [
    "AgentSpanData",
    "CustomSpanData",
    "FunctionSpanData",
    "GenerationSpanData",
    "GuardrailSpanData",
    "HandoffSpanData",
    "MCPListToolsSpanData",
    "ResponseSpanData",
    "SpanData",
    "SpeechGroupSpanData",
    "SpeechSpanData",
    "TaskSpanData",
    "TranscriptionSpanData",
    "TurnSpanData",
]


class SpanData(abc.ABC):
    """The contents of a span. A program may add kinds of its own."""

    @abc.abstractmethod
    def export(self) -> dict[str, Any]:
        """Return the contents as plain values."""

    @property
    @abc.abstractmethod
    def type(self) -> str:
        """The kind of work."""


class _OfKind(SpanData):
    """The contents of one of the kinds here."""

    kind: ClassVar[str]

    @property
    def type(self) -> str:
        return self.kind


@dataclass(eq=False)
class _Fields(_OfKind):
    """The export of a kind whose fields are exported under their own names."""

    not_exported: ClassVar[frozenset[str]] = frozenset()

    def export(self) -> dict[str, Any]:
        names = [field.name for field in fields(self) if field.name not in self.not_exported]
        return {"type": self.kind, **{name: getattr(self, name) for name in names}}


@dataclass(eq=False)
class AgentSpanData(_Fields):
    """An agent is at work."""

    kind: ClassVar[str] = "agent"
    not_exported: ClassVar[frozenset[str]] = frozenset({"metadata"})

    name: str
    handoffs: list[str] | None = None
    tools: list[str] | None = None
    output_type: str | None = None
    metadata: dict[str, Any] | None = None


class _Step(_OfKind):
    """A part of a run that the dashboard knows as a custom span."""

    usage: dict[str, Any] | None

    def export(self) -> dict[str, Any]:
        data = {"sdk_span_type": self.kind, **self._facts()}
        if self.usage is not None:
            data["usage"] = self.usage
        return {"type": "custom", "name": self.kind, "data": data}

    @abc.abstractmethod
    def _facts(self) -> dict[str, Any]: ...


@dataclass(eq=False)
class TaskSpanData(_Step):
    """One whole run."""

    kind: ClassVar[str] = "task"

    name: str
    usage: dict[str, Any] | None = None
    metadata: dict[str, Any] | None = None

    def _facts(self) -> dict[str, Any]:
        return {"name": self.name}


@dataclass(eq=False)
class TurnSpanData(_Step):
    """One turn of a run: a call of the model and what follows from its reply."""

    kind: ClassVar[str] = "turn"

    turn: int
    agent_name: str
    usage: dict[str, Any] | None = None
    metadata: dict[str, Any] | None = None

    def _facts(self) -> dict[str, Any]:
        return {"turn": self.turn, "agent_name": self.agent_name}


@dataclass(eq=False)
class FunctionSpanData(_Fields):
    """A call of a tool; `mcp_data` is about the server, if the tool is one of a server."""

    kind: ClassVar[str] = "function"

    name: str
    input: str | None
    output: Any | None
    mcp_data: dict[str, Any] | None = None

    def export(self) -> dict[str, Any]:
        output = None if self.output is None else str(self.output)
        return {**super().export(), "output": output}


@dataclass(eq=False)
class GenerationSpanData(_Fields):
    """A call of a model, with its messages."""

    kind: ClassVar[str] = "generation"

    input: Sequence[Mapping[str, Any]] | None = None
    output: Sequence[Mapping[str, Any]] | None = None
    model: str | None = None
    model_config: Mapping[str, Any] | None = None
    usage: dict[str, Any] | None = None


@dataclass(eq=False)
class ResponseSpanData(_OfKind):
    """A call of the Responses API. Only the response's id is exported, since the API stores it."""

    kind: ClassVar[str] = "response"

    response: Response | None = None
    input: str | list[ResponseInputItemParam] | None = None
    usage: dict[str, Any] | None = None

    def export(self) -> dict[str, Any]:
        response_id = None if self.response is None else self.response.id
        return {"type": self.type, "response_id": response_id, "usage": self.usage}


@dataclass(eq=False)
class HandoffSpanData(_Fields):
    """A handoff from one agent to another."""

    kind: ClassVar[str] = "handoff"

    from_agent: str | None
    to_agent: str | None


@dataclass(eq=False)
class CustomSpanData(_Fields):
    """Work of the program's own."""

    kind: ClassVar[str] = "custom"

    name: str
    data: dict[str, Any]


@dataclass(eq=False)
class GuardrailSpanData(_Fields):
    """A guardrail is at work; `triggered` is its verdict."""

    kind: ClassVar[str] = "guardrail"

    name: str
    triggered: bool = False


@dataclass(eq=False)
class TranscriptionSpanData(_Fields):
    """Speech becomes text; `input` is the audio, encoded as text."""

    kind: ClassVar[str] = "transcription"

    input: str | None = None
    input_format: str | None = "pcm"
    output: str | None = None
    model: str | None = None
    model_config: Mapping[str, Any] | None = None

    not_exported: ClassVar[frozenset[str]] = frozenset({"input_format"})

    def export(self) -> dict[str, Any]:
        audio = {"data": self.input or "", "format": self.input_format}
        return {**super().export(), "input": audio}


@dataclass(eq=False)
class SpeechSpanData(_Fields):
    """Text becomes speech; `output` is the audio, encoded as text."""

    kind: ClassVar[str] = "speech"
    not_exported: ClassVar[frozenset[str]] = frozenset({"output_format"})

    input: str | None = None
    output: str | None = None
    output_format: str | None = "pcm"
    model: str | None = None
    model_config: Mapping[str, Any] | None = None
    first_content_at: str | None = None

    def export(self) -> dict[str, Any]:
        audio = {"data": self.output or "", "format": self.output_format}
        return {**super().export(), "output": audio}


@dataclass(eq=False)
class SpeechGroupSpanData(_Fields):
    """Several pieces of speech for one text."""

    kind: ClassVar[str] = "speech_group"

    input: str | None = None


@dataclass(eq=False)
class MCPListToolsSpanData(_Fields):
    """A list of the tools of an MCP server."""

    kind: ClassVar[str] = "mcp_tools"

    server: str | None = None
    result: list[str] | None = None
