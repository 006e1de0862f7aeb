"""The SDK's module path of what edits files for the model; the code is in `shell_tools`."""

from agentgraph.shell_tools import (
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
