"""Workflows with edges whose agents have a script."""

from __future__ import annotations

from enum import Enum
from typing import Annotated, Any, Literal

from pydantic import BaseModel, Field

from agentgraph import Agent
from agentgraph.testing import ScriptedModel, assistant_message


class Ticket(BaseModel):
    kind: Literal["refund", "order", "other"]
    amount: Annotated[int, Field(ge=0, le=100_000)] = 0


class Review(BaseModel):
    ok: bool
    notes: str = ""


class Mood(Enum):
    GOOD = "good"
    BAD = "bad"


def says(*replies: str | BaseModel) -> ScriptedModel:
    texts = (one if isinstance(one, str) else one.model_dump_json() for one in replies)
    return ScriptedModel([[assistant_message(text)] for text in texts])


def agent(name: str, *replies: str | BaseModel, **fields: Any) -> Agent[Any]:
    return Agent(name=name, model=says(*replies), **fields)


def read_by(one: Agent[Any]) -> list[list[Any]]:
    """What an agent read at each call: the contents of its input."""
    model = one.model
    assert isinstance(model, ScriptedModel)
    return [[_content(item) for item in call.input] for call in model.calls]


def _content(item: Any) -> Any:
    content = item.get("content")
    return content if isinstance(content, str) else content[0]["text"]
