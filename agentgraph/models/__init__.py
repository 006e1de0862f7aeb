"""Models and their providers.

Names are imported on first use: users of one provider do not load the client library of another.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from agentgraph.models.default_models import (
        get_default_model as get_default_model,
    )
    from agentgraph.models.default_models import (
        get_default_model_settings as get_default_model_settings,
    )
    from agentgraph.models.default_models import (
        gpt_5_reasoning_settings_required as gpt_5_reasoning_settings_required,
    )
    from agentgraph.models.default_models import is_gpt_5_default as is_gpt_5_default

__all__ = [
    "get_default_model",
    "get_default_model_settings",
    "gpt_5_reasoning_settings_required",
    "is_gpt_5_default",
]

_DEFAULTS: Final = "agentgraph.models.default_models"


def __getattr__(name: str) -> Any:
    if name in __all__:
        return getattr(import_module(_DEFAULTS), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted(__all__)
