"""What goes wrong in session stores.

The tree, under the exceptions of the package::

    AgentsException
    ├── SessionError               the store could not do it; names the session and what to do
    │   └── SessionClosedError     the session was closed before; also a RuntimeError
    └── UserError
        └── InvalidSessionInput    the program gave something unusable; also a ValueError

A message names the session and the place it is stored in, never the content of an item.
"""

from __future__ import annotations

from agentgraph.exceptions import AgentsException, UserError

__all__ = ["InvalidSessionInput", "MissingExtra", "SessionClosedError", "SessionError"]


class SessionError(AgentsException):
    """A session store is unreachable, full, corrupt or not what it should be."""


class SessionClosedError(SessionError, RuntimeError):
    """A session is used after it was closed."""


class InvalidSessionInput(UserError, ValueError):
    """A session is given an id, a limit or items that it cannot take; nothing was stored."""


class MissingExtra(ImportError):
    """A store needs a package that is not installed.

    Args:
        store: The store's class name.
        extra: The extra of this distribution that brings the package.
    """

    def __init__(self, store: str, extra: str) -> None:
        super().__init__(
            f"{store} needs packages that are not installed; "
            f'run: pip install "agentgraph-workflows[{extra}]"'
        )
