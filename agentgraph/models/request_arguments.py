"""The arguments of a call of the `openai` client.

Rule: an argument without a value is not sent, and an argument that the settings add never replaces
one that the call sets itself.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from agentgraph.exceptions import UserError

__all__ = ["request_arguments"]


def request_arguments(
    fields: Mapping[str, Any], extra_args: Mapping[str, Any] | None
) -> dict[str, Any]:
    """Return the arguments of a request.

    Args:
        fields: The arguments that the call sets; one that is None is left out.
        extra_args: The arguments that the settings add (`ModelSettings.extra_args`).

    Raises:
        UserError: The settings add an argument that the call sets.
    """
    request = {name: value for name, value in fields.items() if value is not None}
    additions = extra_args or {}
    if repeated := [name for name in additions if name in request]:
        raise UserError(
            f"ModelSettings.extra_args sets {', '.join(map(repr, repeated))}, which the call "
            "sets itself; use the setting of that name, or extra_body to override it."
        )
    return {**request, **additions}
