"""The SDK's module path of editors for the model; the code is in `agentgraph.tools.shell`."""

from agentgraph.tools.shell import (
    ApplyPatchEditor,
    ApplyPatchOperation,
    ApplyPatchOperationType,
    ApplyPatchResult,
)

__all__ = [
    "ApplyPatchEditor",
    "ApplyPatchOperation",
    "ApplyPatchOperationType",
    "ApplyPatchResult",
]
