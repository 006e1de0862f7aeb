from typing import Any, TypeAlias

from agentgraph.agent import Agent

AnyAgent: TypeAlias = Agent[Any, Any]
