"""Prompts that are stored with the provider and referred to by id.

A prompt is a dictionary, or a callable that returns one for each turn.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NotRequired, TypeAlias

from typing_extensions import TypedDict

from agentgraph.authoring.any_agent import AnyAgent
from agentgraph.exceptions import UserError
from agentgraph.run_context import RunContextWrapper
from agentgraph.user_code.callbacks import MaybeAwaitable, resolve

if TYPE_CHECKING:
    from openai.types.responses.response_prompt_param import ResponsePromptParam

__all__ = ["DynamicPromptFunction", "GenerateDynamicPromptData", "Prompt", "PromptUtil"]


class Prompt(TypedDict):
    """A stored prompt.

    Attributes:
        id: The provider's id of the prompt.
        version: The version of the prompt; the current one when left out.
        variables: The values of the prompt's variables: texts or input content.
    """

    id: str
    version: NotRequired[str]
    variables: NotRequired[dict[str, Any]]


@dataclass
class GenerateDynamicPromptData:
    """The argument of a dynamic prompt function.

    Attributes:
        context: The run's context.
        agent: The agent whose turn it is.
    """

    context: RunContextWrapper[Any]
    agent: AnyAgent


DynamicPromptFunction: TypeAlias = Callable[[GenerateDynamicPromptData], MaybeAwaitable[Prompt]]
"""Returns the prompt of a turn, directly or as an awaitable."""


class PromptUtil:
    """Converts a prompt into an argument of a model call."""

    @staticmethod
    async def to_model_input(
        prompt: Prompt | DynamicPromptFunction | None,
        context: RunContextWrapper[Any],
        agent: AnyAgent,
    ) -> ResponsePromptParam | None:
        """Resolve a prompt for one turn.

        Args:
            prompt: The prompt, or the callable that returns it.
            context: The run's context.
            agent: The agent whose turn it is.

        Returns:
            The provider's form of the prompt, or `None` if there is no prompt.

        Raises:
            UserError: The callable returned something other than a prompt with an id.
        """
        if prompt is None:
            return None
        fields = prompt
        if not isinstance(fields, dict):
            fields = await resolve(fields(GenerateDynamicPromptData(context=context, agent=agent)))
        if not isinstance(fields, dict) or "id" not in fields:
            raise UserError(
                f"The prompt of agent {agent.name!r} must be a dictionary with an 'id', "
                f"not {type(fields).__name__}."
            )
        return {
            "id": fields["id"],
            "version": fields.get("version"),
            "variables": fields.get("variables"),
        }
