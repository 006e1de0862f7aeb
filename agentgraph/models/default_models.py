"""The default model, and the settings that suit a model of the gpt-5 family.

Each call reads the name from the environment, so that a test or a shell can change it.
"""

from __future__ import annotations

import os
import re
from typing import Final, Literal, TypeAlias

from agentgraph.exceptions import UserError
from agentgraph.model_settings import ModelSettings

__all__ = [
    "MODEL_VARIABLE",
    "OPENAI_DEFAULT_MODEL_ENV_VARIABLE_NAME",
    "GPT5DefaultReasoningEffort",
    "get_default_model",
    "get_default_model_settings",
    "gpt_5_reasoning_settings_required",
    "is_gpt_5_default",
    "rehearsal_is_asked_for",
]

OPENAI_DEFAULT_MODEL_ENV_VARIABLE_NAME: Final = "OPENAI_DEFAULT_MODEL"
"""The environment variable that names the default model."""

MODEL_VARIABLE: Final = "AGENTGRAPH_MODEL"
"""The environment variable that asks for a rehearsal, with the value `rehearsal`."""

GPT5DefaultReasoningEffort: TypeAlias = Literal["none", "low", "medium"]

_DEFAULT_MODEL: Final = "gpt-5.6-luna"

# The reasoning effort of the family's members: the first pattern that matches decides. A member
# that is not listed gets the provider's own default.
_EFFORTS: Final[tuple[tuple[str, GPT5DefaultReasoningEffort], ...]] = (
    (r"gpt-5(-\d{4}-\d{2}-\d{2})?", "low"),
    (r"gpt-5\.[245]-pro(-\d{4}-\d{2}-\d{2})?", "medium"),
    (r"gpt-5\.[12456](-(mini|nano|luna|sol|terra))?(-\d{4}-\d{2}-\d{2})?", "none"),
    (r"gpt-5\.3-codex(-\d{4}-\d{2}-\d{2})?", "none"),
)


def get_default_model() -> str:
    """Return the name of the model of agents that name none.

    Returns:
        The value of `OPENAI_DEFAULT_MODEL` in lower case, or this package's default.
    """
    return os.getenv(OPENAI_DEFAULT_MODEL_ENV_VARIABLE_NAME, _DEFAULT_MODEL).lower()


def rehearsal_is_asked_for() -> bool:
    """Whether the environment asks that a rehearsal answers for every model with a name.

    Raises:
        UserError: `AGENTGRAPH_MODEL` has another value than `rehearsal`.
    """
    asked = os.getenv(MODEL_VARIABLE, "")
    if asked not in ("", "rehearsal"):
        raise UserError(
            f"{MODEL_VARIABLE} is {asked!r}; the only value that it knows is 'rehearsal'. "
            f"{OPENAI_DEFAULT_MODEL_ENV_VARIABLE_NAME} names the default model."
        )
    return asked == "rehearsal"


def gpt_5_reasoning_settings_required(model_name: str) -> bool:
    """Whether a model is of the gpt-5 family and takes settings for reasoning.

    Args:
        model_name: The model's name. The family's chat variants do not reason.

    Returns:
        True for a reasoning model of the family.
    """
    return model_name.startswith("gpt-5") and "-chat" not in model_name


def is_gpt_5_default() -> bool:
    """Whether the default model is of the gpt-5 family and takes settings for reasoning."""
    return gpt_5_reasoning_settings_required(get_default_model())


def get_default_model_settings(model: str | None = None) -> ModelSettings:
    """Return the settings that suit a model.

    Args:
        model: The model's name; None means the default model.

    Returns:
        For a reasoning model of the gpt-5 family: low verbosity, and the effort of this member if
        this module lists one. For any other model: empty settings.
    """
    name = get_default_model() if model is None else model
    if not gpt_5_reasoning_settings_required(name):
        return ModelSettings()
    for pattern, effort in _EFFORTS:
        if re.fullmatch(pattern, name):
            from openai.types.shared import Reasoning

            return ModelSettings(reasoning=Reasoning(effort=effort), verbosity="low")
    return ModelSettings(verbosity="low")
