"""What a person decides on a run at rest: approvals, rejections, and answers to questions."""

from __future__ import annotations

from typing import Generic

from pydantic_core import PydanticSerializationError, to_json

from agentgraph.approvals import Decision
from agentgraph.drivers.work.questions import step_of
from agentgraph.exceptions import UserError
from agentgraph.items import ToolApprovalItem
from agentgraph.items.question_item import Interruption, QuestionItem
from agentgraph.program import Program
from agentgraph.run_context import RunContextWrapper, TContext

__all__ = ["Decided"]


class Decided(Generic[TContext]):
    """The part of a state that takes decisions."""

    # Of the dataclass that has this base.
    context: RunContextWrapper[TContext]
    program: Program
    _interruptions: list[Interruption]

    def get_interruptions(self) -> list[Interruption]:
        """The calls that wait for a decision, and the questions that wait for an answer."""
        return list(self._interruptions)

    def approve(self, approval_item: Interruption, always_approve: bool = False) -> None:
        """Approve a waiting call.

        Args:
            approval_item: One of the interruptions.
            always_approve: Whether to approve every later call of the same tool in this run too.

        Raises:
            UserError: No such call waits for a decision, or the item is a question.
        """
        self.context.approve_tool(approval_item, always_approve=always_approve)

    def reject(
        self,
        approval_item: Interruption,
        always_reject: bool = False,
        *,
        rejection_message: str | None = None,
    ) -> None:
        """Reject a waiting call.

        Args:
            approval_item: One of the interruptions.
            always_reject: Whether to reject every later call of the same tool in this run as well.
            rejection_message: The text that the model gets instead of a result.

        Raises:
            UserError: No such call waits for a decision, or the item is a question.
        """
        self.context.reject_tool(
            approval_item, always_reject=always_reject, rejection_message=rejection_message
        )

    def answer(self, question: Interruption, value: object) -> None:
        """Answer a question of the workflow (`Workflow.ask`), or say what a call returned that was
        interrupted.

        Args:
            question: One of the interruptions.
            value: The answer: a value of the type that the question asks for, or plain data of its
                form; for an interrupted call, its output.

        Raises:
            UserError: The item is a call that waits for approval, the value does not fit the type,
                or no such question waits.
        """
        if isinstance(question, ToolApprovalItem) and question.interrupted:
            decision = Decision(approved=False, answer=_output_text(question, value))
            self.context._approvals.decide(question, decision, sticky=False)
            return
        if not isinstance(question, QuestionItem):
            raise UserError(_not_a_question(question))
        text = step_of(question, self.program.bindings).written(value)
        decision = Decision(approved=True, answer=text)
        self.context._approvals.decide(question, decision, sticky=False)


def _output_text(item: ToolApprovalItem, output: object) -> str:
    """The output of an interrupted call as JSON text.

    Raises:
        UserError: It has no JSON form.
    """
    try:
        return to_json(output).decode()
    except (PydanticSerializationError, ValueError) as error:
        raise UserError(
            f"The output of call {item.call_id!r} of tool {item.name!r} must be text or plain data,"
            f" not {type(output).__name__}."
        ) from error


def _not_a_question(item: object) -> str:
    if isinstance(item, ToolApprovalItem):
        return (
            f"Call {item.call_id!r} of tool {item.name!r} waits for approval, not for an answer."
            " Decide on it with state.approve(item) or state.reject(item)."
        )
    return (
        f"Cannot answer {type(item).__name__!r}: it is no question. Pass an item of"
        " result.interruptions."
    )
