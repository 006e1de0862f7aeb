"""Tools: what each kind is, how one is made, and how a call of it is carried out and answered.

The SDK's names are in `agentgraph.tool`, `tool_context` and `tool_guardrails`.
"""
