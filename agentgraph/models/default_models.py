"""The default model and its settings, at the path of the published SDK; and whether a rehearsal
answers in place of models.

Each call reads the environment, so that a test or a shell can change it.
"""

from __future__ import annotations

import os
from typing import Final

from agentgraph.exceptions import UserError
from agentgraph.model_settings import (
    OPENAI_DEFAULT_MODEL_ENV_VARIABLE_NAME,
    GPT5DefaultReasoningEffort,
    get_default_model,
    get_default_model_settings,
    gpt_5_reasoning_settings_required,
    is_gpt_5_default,
)

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

MODEL_VARIABLE: Final = "AGENTGRAPH_MODEL"
"""The environment variable that asks for a rehearsal, with the value `rehearsal`."""


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
