"""`LitellmProvider`: models by name, through LiteLLM (extra `litellm`)."""

from __future__ import annotations

from typing import Final

from agentgraph.extensions.models.litellm_model import LitellmModel
from agentgraph.models.default_models import get_default_model
from agentgraph.models.interface import Model, ModelProvider

__all__ = ["DEFAULT_MODEL", "LitellmProvider"]

DEFAULT_MODEL: Final = "gpt-4.1"
"""The default model of the published SDK's first versions; here only so that imports work."""


class LitellmProvider(ModelProvider):
    """Finds models by the names that LiteLLM gives them. Keys come from the vendors' environment
    variables; for others make a `LitellmModel`."""

    def get_model(self, model_name: str | None) -> Model:
        """Return a model.

        Args:
            model_name: Its name, such as `anthropic/claude-sonnet-4-5`; None takes the default
                model.

        Raises:
            MissingPackageError: LiteLLM is not installed.
        """
        return LitellmModel(model_name or get_default_model())
