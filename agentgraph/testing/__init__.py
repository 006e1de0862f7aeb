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
    from agentgraph.testing.decisions import ScriptMismatch
    from agentgraph.testing.exploring import explore
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
    from agentgraph.testing.routes import Decision, Route
    from agentgraph.testing.simulated_model import SimulatedFault
    from agentgraph.testing.walking import play, walk

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
    "ScriptMismatch",
    "ScriptedModel",
    "SimulatedFault",
    "UnconsumedModelSteps",
    "UnexpectedModelCall",
    "assert_clean",
    "assistant_message",
    "explore",
    "function_call",
    "minimal_instance",
    "play",
    "walk",
]

_MODULES = {
    "Decision": "testing.routes",
    "InvalidModelStep": "testing.model",
    "ModelCall": "testing.model",
    "ModelScriptError": "testing.model",
    "ModelStep": "testing.model",
    "ModelStepSpec": "testing.model",
    "Move": "models.rehearsal",
    "RehearsalModel": "models.rehearsal",
    "Route": "testing.routes",
    "ScriptMismatch": "testing.decisions",
    "ScriptedModel": "testing.model",
    "SimulatedFault": "testing.simulated_model",
    "UnconsumedModelSteps": "testing.model",
    "UnexpectedModelCall": "testing.model",
    "assert_clean": "testing.checking",
    "assistant_message": "testing.model",
    "explore": "testing.exploring",
    "function_call": "testing.model",
    "minimal_instance": "models.instances",
    "play": "testing.walking",
    "walk": "testing.walking",
}


def __getattr__(name: str) -> Any:
    if name in _MODULES:
        return getattr(importlib.import_module(f"agentgraph.{_MODULES[name]}"), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
