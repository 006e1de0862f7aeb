"""The SDK's module path of `apply_diff`; the code is in `agentgraph.tools.patch_format`."""

from agentgraph.tools.patch_format import ApplyDiffMode, apply_diff

__all__ = ["ApplyDiffMode", "apply_diff"]
