"""Test doubles for agent workflows, named as in the published SDK's own `agents.testing`.

Nothing here needs a network or a key. Each name is imported from its module at its first use,
because pytest imports this package in every project where agentgraph is installed (`plugin.py`).
The names that this package adds (`RehearsalModel`, `minimal_instance`) are defined with the models.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from agentgraph.models.gate.calls import allow_model_calls, no_model_calls
    from agentgraph.models.instances import minimal_instance
    from agentgraph.models.rehearsal import Move, RehearsalModel
    from agentgraph.testing.checking import assert_clean
    from agentgraph.testing.comparing import Difference, same_behaviour
    from agentgraph.testing.exploring import can_reach, explore
    from agentgraph.testing.journals import assert_journal_conformance
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
    from agentgraph.testing.properties import (
        assert_always,
        assert_answers_within,
        assert_at_most,
        assert_never,
        assert_precedes,
        assert_reaches,
    )
    from agentgraph.testing.routes import Decision, Route
    from agentgraph.testing.routing import routing_test
    from agentgraph.testing.scripted import ScriptMismatch
    from agentgraph.testing.simulated_model import SimulatedFault
    from agentgraph.testing.walking import play, walk
    from agentgraph.testing.witnessing import Witness, Witnesses, witnesses

__all__ = [
    "Decision",
    "Difference",
    "FunctionModel",
    "InvalidModelStep",
    "ModelCall",
    "ModelScriptError",
    "ModelStep",
    "ModelStepSpec",
    "Move",
    "RecordedModel",
    "RecordingMismatch",
    "RehearsalModel",
    "Route",
    "ScriptMismatch",
    "ScriptedModel",
    "Scrubber",
    "SimulatedFault",
    "UnconsumedModelSteps",
    "UnexpectedModelCall",
    "Witness",
    "Witnesses",
    "allow_model_calls",
    "assert_always",
    "assert_answers_within",
    "assert_at_most",
    "assert_clean",
    "assert_journal_conformance",
    "assert_never",
    "assert_precedes",
    "assert_reaches",
    "assistant_message",
    "can_reach",
    "explore",
    "function_call",
    "minimal_instance",
    "no_model_calls",
    "play",
    "replay",
    "replay_sync",
    "routing_test",
    "same_behaviour",
    "save_recording",
    "walk",
    "witnesses",
]

_MODULES = {
    "Decision": "testing.routes",
    "Difference": "testing.comparing",
    "FunctionModel": "testing.doubles.function_model",
    "InvalidModelStep": "testing.model",
    "ModelCall": "testing.model",
    "ModelScriptError": "testing.model",
    "ModelStep": "testing.model",
    "ModelStepSpec": "testing.model",
    "Move": "models.rehearsal",
    "RecordedModel": "testing.doubles.recorded_model",
    "RecordingMismatch": "testing.doubles.recorded_model",
    "RehearsalModel": "models.rehearsal",
    "Route": "testing.routes",
    "ScriptMismatch": "testing.scripted",
    "ScriptedModel": "testing.model",
    "Scrubber": "testing.doubles.scrubbing",
    "SimulatedFault": "testing.simulated_model",
    "UnconsumedModelSteps": "testing.model",
    "UnexpectedModelCall": "testing.model",
    "Witness": "testing.witnessing",
    "Witnesses": "testing.witnessing",
    "allow_model_calls": "models.gate.calls",
    "assert_always": "testing.properties",
    "assert_answers_within": "testing.properties",
    "assert_at_most": "testing.properties",
    "assert_clean": "testing.checking",
    "assert_journal_conformance": "testing.journals",
    "assert_never": "testing.properties",
    "assert_precedes": "testing.properties",
    "assert_reaches": "testing.properties",
    "assistant_message": "testing.model",
    "can_reach": "testing.exploring",
    "explore": "testing.exploring",
    "function_call": "testing.model",
    "minimal_instance": "models.instances",
    "no_model_calls": "models.gate.calls",
    "play": "testing.walking",
    "replay": "testing.doubles.replaying",
    "replay_sync": "testing.doubles.replaying",
    "routing_test": "testing.routing",
    "same_behaviour": "testing.comparing",
    "save_recording": "testing.doubles.cassette",
    "walk": "testing.walking",
    "witnesses": "testing.witnessing",
}


def __getattr__(name: str) -> Any:
    if name in _MODULES:
        return getattr(importlib.import_module(f"agentgraph.{_MODULES[name]}"), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
