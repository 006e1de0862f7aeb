from typing import Any, TypeAlias

from agentgraph.agent import Agent, AgentBase

AnyAgent: TypeAlias = Agent[Any, Any]
AnyAgentBase: TypeAlias = AgentBase[Any]
