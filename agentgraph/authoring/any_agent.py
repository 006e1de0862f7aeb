"""The type of an agent in the modules that the agent's own module imports.

At run time it is `Any`, so no module imports a module that imports it. Type checkers read
`any_agent.pyi`, in which it is the class.
"""

from __future__ import annotations

from typing import Any, TypeAlias

__all__ = ["AnyAgent"]

AnyAgent: TypeAlias = Any
"""An agent of any context and any output."""
