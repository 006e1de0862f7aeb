"""The exceptions of session stores.

The tree, under the exceptions of the package::

    AgentsException
    ├── SessionError               the store failed; names the session and what to do
    │   └── SessionClosedError     the session is closed; also a RuntimeError
    └── UserError
        └── InvalidSessionInput    the program passed an unusable value; also a ValueError

A message names the session and where it is stored, never the content of an item.
"""

from __future__ import annotations

from agentgraph.exceptions import AgentsException, UserError, missing_package

__all__ = ["InvalidSessionInput", "MissingExtra", "SessionClosedError", "SessionError"]


class SessionError(AgentsException):
    """A session store is unreachable, full, damaged or not a session store."""


class SessionClosedError(SessionError, RuntimeError):
    """A session was used after it was closed."""


class InvalidSessionInput(UserError, ValueError):
    """A session got an id, a limit or items that it cannot use; nothing was stored."""


class MissingExtra(ImportError):
    """A store needs a package that is not installed.

    Args:
        store: The store's class name.
        extra: The extra of this distribution that brings the package.
    """

    def __init__(self, store: str, extra: str) -> None:
        super().__init__(missing_package(store, extra))
