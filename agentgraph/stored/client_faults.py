"""Exceptions of the `openai` client as data, for versions 2.x and 3.x.

Reading imports the client; writing does not, since an exception of the client proves that it is
loaded. The HTTP library is never named here, because 2.x and 3.x use different ones.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping
from importlib import import_module
from typing import Any, Final

__all__ = ["client_data", "client_error"]

_CLIENT: Final = "openai"
# The headers that a program may need later: the id for support, and when to try again.
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
    """The data of an exception of the client; `None` if its class cannot be made again."""
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
    """Make an exception of the client from the data of `client_data`.

    Args:
        path: The path of its class.
        message: Its message.
        data: Its data.

    Returns:
        The exception, or `None` if the path names no class that can be made again.

    Raises:
        KeyError: The data lacks what the class needs.
    """
    module, _, name = path.rpartition(".")
    if module.partition(".")[0] != _CLIENT or name not in _STATUS_ERRORS + _OTHERS:
        return None
    client = import_module(_CLIENT)
    cls: Callable[..., BaseException] | None = getattr(client, name, None)
    if cls is None:
        return None
    if name == "OpenAIError":
        return cls(message)
    # The client's HTTP client derives from that of its HTTP library, which tells the library.
    http = import_module(client.DefaultHttpxClient.__mro__[1].__module__.partition(".")[0])
    method, address = data.get("request", ("POST", "https://api.openai.com/v1"))
    request = http.Request(method, address)
    body = data.get("body")
    error: BaseException
    if name in _STATUS_ERRORS or name == "APIResponseValidationError":
        response = http.Response(data["status"], headers=data["headers"], request=request)
        if name == "OAuthError":  # it makes its message from the body
            error = cls(response=response, body=body)
        elif name == "APIResponseValidationError":
            error = cls(response, body, message=message)
        else:
            error = cls(message, response=response, body=body)
    elif name == "APITimeoutError":
        error = cls(request)
    elif name == "APIConnectionError":
        error = cls(message=message, request=request)
    else:
        error = cls(message, request, body=body)
    return error
