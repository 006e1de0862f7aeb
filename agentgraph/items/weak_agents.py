"""What items and verdicts have in common: they name agents, and can let go of them.

An agent that was let go is held weakly, so it can be collected while the result lives on.
"""

from __future__ import annotations

import weakref
from typing import TYPE_CHECKING, Any, ClassVar

__all__ = ["HoldsAgents"]


class _Released:
    """A field whose agent was let go. As long as the instance holds the agent itself, Python looks
    no further, so that reading it costs nothing more."""

    def __set_name__(self, owner: type, name: str) -> None:
        self._name = name

    def __get__(self, instance: object | None, owner: type) -> Any:
        ref = None if instance is None else instance.__dict__.get(f"_{self._name}_ref")
        if ref is None:  # a class that is being made asks too, and finds no default
            raise AttributeError(f"{owner.__name__!r} object has no attribute {self._name!r}")
        return ref()


class HoldsAgents:
    """A dataclass some of whose fields are agents; `_agent_fields` names them."""

    _agent_fields: ClassVar[tuple[str, ...]] = ("agent",)

    if not TYPE_CHECKING:
        agent = _Released()
        source_agent = _Released()
        target_agent = _Released()

    def release_agent(self) -> None:
        """Hold the agents weakly from now on, so that they can be collected."""
        for name in self._agent_fields:
            agent = self.__dict__.pop(name, None)
            if agent is not None:
                self.__dict__[f"_{name}_ref"] = weakref.ref(agent)
