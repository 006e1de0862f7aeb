"""Names of functions: those that providers accept, and those derived from names of agents.

Rule: a provider accepts 1 to 64 letters, digits, `_` and `-` as the name of a function. In a
derived name any other character of the agent's name becomes `_`, and all letters become lower case.
"""

from __future__ import annotations

import re
from typing import Final

from agentgraph.exceptions import AgentDefinitionError
from agentgraph.logger import warn_once

__all__ = ["OF_HANDOFFS", "check_function_name", "derived_name", "function_name_of"]

OF_HANDOFFS: Final = "transfer_to_"
"""The beginning of the name of a handoff that has no name of its own."""

_UNFIT: Final = re.compile(r"[^A-Za-z0-9_\s]")
_FIT: Final = re.compile(r"[A-Za-z0-9_-]{1,64}")


def check_function_name(name: object, what: str, field: str = "name") -> None:
    """Refuse a name of a function that is no text or blank; warn if model APIs refuse it.

    Args:
        name: The name.
        what: The kind of object that has it.
        field: The object's field with the name.

    Raises:
        AgentDefinitionError: The name is no text or blank.
    """
    if not isinstance(name, str) or not name.strip():
        raise AgentDefinitionError(f"{what} {name!r}: {field} must be non-empty text.")
    if not _FIT.fullmatch(name):
        warn_once(
            "%s %r: model APIs refuse this name. Use 1 to 64 letters (A to Z), digits, '_' or '-'.",
            what,
            name,
        )


def derived_name(agent_name: str, prefix: str = "") -> str:
    """Derive the name of a function, with ``_`` for each character that none can have.

    Args:
        agent_name: The name of the agent.
        prefix: The beginning of the function's name.
    """
    return prefix + re.sub(r"[^A-Za-z0-9_]", "_", agent_name).lower()


def function_name_of(agent_name: str, prefix: str, *, what: str, setting: str) -> str:
    """Derive the name of a function, and warn if the agent's name does not fit into it.

    Args:
        agent_name: The name of the agent.
        prefix: The beginning of the function's name.
        what: The object with this function name, for the warning.
        setting: The setting that takes another name, for the warning.
    """
    function_name = derived_name(agent_name, prefix)
    if _UNFIT.search(agent_name):
        warn_once(
            "The name of agent %r does not fit into a function name; %s is named %r. "
            "Use letters, digits and underscores, or pass %s.",
            agent_name,
            what,
            function_name,
            setting,
        )
    return function_name
