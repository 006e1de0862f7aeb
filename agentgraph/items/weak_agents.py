"""A base class of items and verdicts: they refer to agents, and can release them.

After the release the reference is weak, so that an agent can be collected while a result lives on.
"""

from __future__ import annotations

import weakref
from typing import TYPE_CHECKING, Any, ClassVar

__all__ = ["HoldsAgents"]


class _Released:
    """A field whose agent may be released. As long as the instance has an attribute of this name,
    Python reads that attribute directly, so the field costs nothing."""

    def __set_name__(self, owner: type, name: str) -> None:
        self._name = name

    def __get__(self, instance: object | None, owner: type) -> Any:
        ref = None if instance is None else instance.__dict__.get(f"_{self._name}_ref")
        if ref is None:  # `dataclass` reads the class attribute, and must see no default
            raise AttributeError(f"{owner.__name__!r} object has no attribute {self._name!r}")
        return ref()


class HoldsAgents:
    """A dataclass with fields that are agents; `_agent_fields` names these fields."""

    _agent_fields: ClassVar[tuple[str, ...]] = ("agent",)

    if not TYPE_CHECKING:
        agent = _Released()
        source_agent = _Released()
        target_agent = _Released()

    def release_agent(self) -> None:
        """Refer to the agents weakly from now on, so that they can be collected."""
        for name in self._agent_fields:
            agent = self.__dict__.pop(name, None)
            if agent is not None:
                self.__dict__[f"_{name}_ref"] = weakref.ref(agent)
