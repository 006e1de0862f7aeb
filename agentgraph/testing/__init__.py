"""Test doubles for agent workflows, named as in the published SDK's own `agents.testing`.

Nothing here needs a network or a key. Each name is imported from its module at its first use,
because pytest imports this package in every project where agentgraph is installed (`plugin.py`).
The names that this package adds (`RehearsalModel`, `minimal_instance`) are defined with the models.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from agentgraph.models.instances import minimal_instance
    from agentgraph.models.rehearsal import Move, RehearsalModel
    from agentgraph.testing.checking import assert_clean
    from agentgraph.testing.exploring import Decision, Route, explore
    from agentgraph.testing.model import (
        InvalidModelStep,
        ModelCall,
        ModelScriptError,
        ModelStep,
        ModelStepSpec,
        ScriptedModel,
        UnconsumedModelSteps,
        UnexpectedModelCall,
        assistant_message,
        function_call,
    )

__all__ = [
    "Decision",
    "InvalidModelStep",
    "ModelCall",
    "ModelScriptError",
    "ModelStep",
    "ModelStepSpec",
    "Move",
    "RehearsalModel",
    "Route",
    "ScriptedModel",
    "UnconsumedModelSteps",
    "UnexpectedModelCall",
    "assert_clean",
    "assistant_message",
    "explore",
    "function_call",
    "minimal_instance",
]

_MODULES = {
    "Decision": "testing.exploring",
    "InvalidModelStep": "testing.model",
    "ModelCall": "testing.model",
    "ModelScriptError": "testing.model",
    "ModelStep": "testing.model",
    "ModelStepSpec": "testing.model",
    "Move": "models.rehearsal",
    "RehearsalModel": "models.rehearsal",
    "Route": "testing.exploring",
    "ScriptedModel": "testing.model",
    "UnconsumedModelSteps": "testing.model",
    "UnexpectedModelCall": "testing.model",
    "assert_clean": "testing.checking",
    "assistant_message": "testing.model",
    "explore": "testing.exploring",
    "function_call": "testing.model",
    "minimal_instance": "models.instances",
}


def __getattr__(name: str) -> Any:
    if name in _MODULES:
        return getattr(importlib.import_module(f"agentgraph.{_MODULES[name]}"), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
