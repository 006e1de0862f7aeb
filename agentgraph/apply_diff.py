"""The SDK's module path of `apply_diff`; the code is in `agentgraph.v4a_diff`."""

from agentgraph.v4a_diff import ApplyDiffMode, apply_diff

__all__ = ["ApplyDiffMode", "apply_diff"]
