"""What items and verdicts have in common: they name agents, and can let go of them.

An agent that was let go is held weakly, so it can be collected while the result lives on.
"""

from __future__ import annotations

import weakref
from typing import Any, ClassVar

__all__ = ["HoldsAgents"]


class HoldsAgents:
    """A dataclass some of whose fields are agents; `_agent_fields` names them."""

    _agent_fields: ClassVar[tuple[str, ...]] = ("agent",)

    def __getattr__(self, name: str) -> Any:
        # Python comes here only for what the instance lacks, so what holds its agents pays nothing
        # for what has released them.
        if name in type(self)._agent_fields and (ref := self.__dict__.get(f"_{name}_ref")):
            return ref()
        raise AttributeError(f"{type(self).__name__!r} object has no attribute {name!r}")

    def release_agent(self) -> None:
        """Hold the agents weakly from now on, so that they can be collected."""
        for name in self._agent_fields:
            agent = self.__dict__.pop(name, None)
            if agent is not None:
                self.__dict__[f"_{name}_ref"] = weakref.ref(agent)
