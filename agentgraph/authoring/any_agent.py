"""The types of an agent in the modules that the agent's own module imports.

At run time they are `Any`, so no module imports a module that imports it. Type checkers read
`any_agent.pyi`, in which they are the classes.
"""

from __future__ import annotations

from typing import Any, TypeAlias

__all__ = ["AnyAgent", "AnyAgentBase"]

AnyAgent: TypeAlias = Any
"""An agent of any context and any output."""

AnyAgentBase: TypeAlias = Any
"""An agent of any kind and any context."""
