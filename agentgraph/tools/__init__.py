"""Tools: what each kind is, how one is made, called and answered.

The SDK's names are in `agentgraph.tool`, `tool_context` and `tool_guardrails`.
"""
