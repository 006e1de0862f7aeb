"""Prompts that are stored with the provider and named by id.

A prompt is a dictionary, or a callable that makes one for each turn.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NotRequired, TypeAlias

from typing_extensions import TypedDict

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
        version: Which version of it; the current one when left out.
        variables: Values for the prompt's variables: texts or input content.
    """

    id: str
    version: NotRequired[str]
    variables: NotRequired[dict[str, Any]]


@dataclass
class GenerateDynamicPromptData:
    """What a dynamic prompt is made from.

    Attributes:
        context: The run's context.
        agent: The agent whose turn it is.
    """

    context: RunContextWrapper[Any]
    agent: Any


DynamicPromptFunction: TypeAlias = Callable[[GenerateDynamicPromptData], MaybeAwaitable[Prompt]]
"""Makes the prompt of a turn, at once or asynchronously."""


class PromptUtil:
    """How a prompt becomes an argument of a model call."""

    @staticmethod
    async def to_model_input(
        prompt: Prompt | DynamicPromptFunction | None,
        context: RunContextWrapper[Any],
        agent: Any,
    ) -> ResponsePromptParam | None:
        """Resolve a prompt for one turn.

        Args:
            prompt: The prompt, or the callable that makes it.
            context: The run's context.
            agent: The agent whose turn it is.

        Returns:
            The provider's form of the prompt, or `None` when there is no prompt.

        Raises:
            UserError: The callable gave something that is not a prompt with an id.
        """
        if prompt is None:
            return None
        made = prompt
        if not isinstance(made, dict):
            made = await resolve(made(GenerateDynamicPromptData(context=context, agent=agent)))
        if not isinstance(made, dict) or "id" not in made:
            raise UserError(
                f"The prompt of agent {agent.name!r} must be a dictionary with an 'id', "
                f"not {type(made).__name__}."
            )
        return {
            "id": made["id"],
            "version": made.get("version"),
            "variables": made.get("variables"),
        }
