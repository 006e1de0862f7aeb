"""Exceptions of the `openai` client as data, in either of its majors.

The client is imported only to make an exception again; an exception that is at hand proves that it
is loaded. Its HTTP library is never named: 2.x brings another one than 3.x.
"""

from __future__ import annotations

import sys
from collections.abc import Mapping
from importlib import import_module
from typing import Any, Final

__all__ = ["client_data", "client_error"]

_CLIENT: Final = "openai"
# What a program reads of a response after the fact: the id for support, and when to try again.
_HEADERS: Final = ("x-request-id", "retry-after", "retry-after-ms", "x-should-retry")
_STATUS_ERRORS: Final = (
    "APIStatusError",
    "AuthenticationError",
    "BadRequestError",
    "ConflictError",
    "InternalServerError",
    "NotFoundError",
    "OAuthError",
    "PermissionDeniedError",
    "RateLimitError",
    "UnprocessableEntityError",
)
_OTHERS: Final = (
    "APIConnectionError",
    "APIError",
    "APIResponseValidationError",
    "APITimeoutError",
    "OpenAIError",
)


def client_data(error: BaseException) -> dict[str, Any] | None:
    """What an exception of the client carries, or `None` if it is not one that is made again."""
    client = sys.modules.get(_CLIENT)
    name = type(error).__name__
    if client is None or name not in _STATUS_ERRORS + _OTHERS:
        return None
    if getattr(client, name, None) is not type(error):
        return None
    data: dict[str, Any] = {}
    response = getattr(error, "response", None)
    if response is not None:
        data["status"] = response.status_code
        headers = {name: response.headers.get(name) for name in _HEADERS}
        data["headers"] = {name: value for name, value in headers.items() if value is not None}
    request = getattr(error, "request", None)
    if request is not None and hasattr(request, "url"):
        # The query and the user part of an address may hold keys.
        address = request.url.copy_with(query=None, fragment=None, username=None, password=None)
        data["request"] = [request.method, str(address)]
    if getattr(error, "body", None) is not None:
        data["body"] = error.body  # type: ignore[attr-defined]
    return data


def client_error(path: str, message: str, data: Mapping[str, Any]) -> BaseException | None:
    """Make an exception of the client from what `client_data` gave.

    Args:
        path: The path of its class.
        message: What it said.
        data: What it carried.

    Returns:
        The exception, or `None` if the path names none that is made again.

    Raises:
        KeyError: The data lacks what the class needs.
    """
    module, _, name = path.rpartition(".")
    if module.partition(".")[0] != _CLIENT or name not in _STATUS_ERRORS + _OTHERS:
        return None
    client = import_module(_CLIENT)
    cls: Any = getattr(client, name, None)
    if cls is None:
        return None
    if name == "OpenAIError":
        return cls(message)  # type: ignore[no-any-return]
    # The client's own HTTP client derives from that of its library, whichever it is.
    http: Any = import_module(client.DefaultHttpxClient.__mro__[1].__module__.partition(".")[0])
    method, address = data.get("request", ("POST", "https://api.openai.com/v1"))
    request = http.Request(method, address)
    body = data.get("body")
    made: BaseException
    if name in _STATUS_ERRORS or name == "APIResponseValidationError":
        response = http.Response(data["status"], headers=data["headers"], request=request)
        if name == "OAuthError":  # it words its message itself, from the body
            made = cls(response=response, body=body)
        elif name == "APIResponseValidationError":
            made = cls(response, body, message=message)
        else:
            made = cls(message, response=response, body=body)
    elif name == "APITimeoutError":
        made = cls(request)
    elif name == "APIConnectionError":
        made = cls(message=message, request=request)
    else:
        made = cls(message, request, body=body)
    return made
