"""Test doubles for agent workflows, named as in the published SDK's own `agents.testing`.

Nothing here needs a network or a key. The names that this package adds (`RehearsalModel`,
`minimal_instance`) are defined with the models and re-exported here.
"""

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
