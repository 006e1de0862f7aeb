"""The SDK's module path of what edits files for the model; the code is in `shell_tools`."""

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
