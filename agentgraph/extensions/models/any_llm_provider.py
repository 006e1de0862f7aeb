"""`AnyLLMProvider`: models by name, through any-llm (extra `any-llm`)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from agentgraph.extensions.models.any_llm_model import AnyLLMModel
from agentgraph.models.default_models import get_default_model
from agentgraph.models.interface import Model, ModelProvider

if TYPE_CHECKING:
    from agentgraph.openai_defaults import OpenAIApi

__all__ = ["DEFAULT_MODEL", "AnyLLMProvider"]

DEFAULT_MODEL: Final = f"openai/{get_default_model()}"
"""The default model when this module was imported; here only so that imports work."""


class AnyLLMProvider(ModelProvider):
    """Finds models by the names that any-llm gives them.

    Args:
        api_key: The key; None takes the vendor's environment variable.
        base_url: The server's address; None is the vendor's own.
        api: The API through which the models are called; None takes the Responses API where the
            vendor has it.
    """

    def __init__(
        self,
        *,
        api_key: str | None = None,
        base_url: str | None = None,
        api: OpenAIApi | None = None,
    ) -> None:
        self.api_key = api_key
        self.base_url = base_url
        self.api: OpenAIApi | None = api
        self._models: dict[str, AnyLLMModel] = {}

    def get_model(self, model_name: str | None) -> Model:
        """Return a model; the same one for the same name, so that runs share its connections.

        Args:
            model_name: Its name, such as `mistral/mistral-small-latest`; None takes the default
                model of OpenAI.

        Raises:
            MissingPackageError: any-llm is not installed.
            UserError: The name names no vendor or no model.
        """
        name = model_name or f"openai/{get_default_model()}"
        if name not in self._models:
            self._models[name] = AnyLLMModel(
                model=name, api_key=self.api_key, base_url=self.base_url, api=self.api
            )
        return self._models[name]

    async def aclose(self) -> None:
        """Close the connections of the models for the running event loop."""
        for model in self._models.values():
            await model.close()
