"""A question of a workflow that waits for the answer of a person."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final, Literal, TypeAlias

from agentgraph.approvals import content_digest
from agentgraph.authoring.any_agent import AnyAgent
from agentgraph.items.run_items import ToolApprovalItem

__all__ = ["QUESTION", "Interruption", "QuestionItem", "question_data", "question_digest"]

QUESTION: Final = "question"
"""The type of the data of a question."""


@dataclass(eq=False)
class QuestionItem:
    """A question that waits for the answer of a person; `RunState.answer` gives it.

    It is an item of `result.interruptions` beside the calls that wait for approval, and no item of
    the conversation: no model and no session gets it.

    Attributes:
        agent: The agent that was at work last.
        raw_item: The question as JSON data.
    """

    agent: AnyAgent
    raw_item: Mapping[str, Any]
    type: Literal["question_item"] = "question_item"
    # The subject of the answer, set by the run that asks.
    _subject: object = field(default=None, repr=False)

    @property
    def name(self) -> str:
        """The name of the step."""
        return str(self.raw_item["name"])

    @property
    def tool_name(self) -> None:
        """No tool: for code that lists all interruptions alike."""

    @property
    def question(self) -> str:
        """The text that the person reads."""
        return str(self.raw_item["question"])

    @property
    def schema(self) -> Mapping[str, Any]:
        """The JSON schema of the answer."""
        schema: Mapping[str, Any] = self.raw_item["schema"]
        return schema

    @property
    def received(self) -> str:
        """What the step got, as text: the output of the step before it, or what `give` names."""
        return str(self.raw_item["received"])

    @property
    def arguments(self) -> str:
        """The same as `received`, for code that lists all interruptions alike."""
        return self.received

    @property
    def call_id(self) -> str:
        """The id of the question, another one each time that a run asks it."""
        return str(self.raw_item["id"])

    @property
    def qualified_name(self) -> str:
        """The name of the step."""
        return self.name

    @property
    def _content(self) -> str:
        return question_digest(self.raw_item)


Interruption: TypeAlias = ToolApprovalItem | QuestionItem
"""What a suspended run waits for."""


def question_data(
    *,
    id: str,
    step: str,
    machine: str,
    name: str,
    question: str,
    schema: Mapping[str, Any],
    received: str,
) -> dict[str, Any]:
    """A question as JSON data.

    Args:
        id: Its id, another one each time that a run asks it.
        step: The symbol of the step.
        machine: The machine that has the step; empty for that of the outermost run.
        name: The name of the step.
        question: The text that the person reads.
        schema: The JSON schema of the answer.
        received: What the step got, as text.
    """
    return {
        "type": QUESTION,
        "id": id,
        "step": step,
        "machine": machine,
        "name": name,
        "question": question,
        "schema": dict(schema),
        "received": received,
    }


def question_digest(data: Mapping[str, Any]) -> str:
    """The digest of what is asked: an answer holds for this text and this type only."""
    return content_digest(data["question"], data["schema"])
