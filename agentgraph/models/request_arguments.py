"""The arguments of a call of the `openai` client.

Rule: an argument without a value is not sent, and an argument that the settings add never replaces
one that the call sets itself.

The client compares each part of a request with each type of the API that it might be. This takes
up to half a millisecond an item and blocks the event loop. The large parts are plain data already,
so they go into the body's extra fields, which the client passes on without a look.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from agentgraph.exceptions import UserError

__all__ = ["past_the_client", "request_arguments"]


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


def past_the_client(client: object, request: dict[str, Any], *names: str) -> dict[str, Any]:
    """Return the arguments of a request with some of them in the body's extra fields.

    Args:
        client: The client. One of another class than those of `openai` may read its arguments, so
            its requests stay as they are.
        request: The arguments. A field that `extra_body` sets takes precedence.
        names: The arguments whose values are plain data; one that is missing is left out.
    """
    body = request.get("extra_body")
    is_plain = type(client).__module__.partition(".")[0] == "openai"
    if not is_plain or not isinstance(body or {}, Mapping):
        return request
    plain = {name: request.pop(name) for name in names if name in request}
    request["extra_body"] = {**plain, **(body or {})}
    return request
