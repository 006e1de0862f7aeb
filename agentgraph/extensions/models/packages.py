"""The packages that the models of this folder need, and the message where one is missing."""

from __future__ import annotations

from importlib.util import find_spec

from agentgraph.exceptions import UserError, missing_package

__all__ = ["MissingPackageError", "require_package"]


class MissingPackageError(UserError, ImportError):
    """A model needs a package that is not installed."""


def require_package(class_name: str, package: str, extra: str) -> None:
    """Raise if a package is not installed; it is not imported.

    Args:
        class_name: The class that needs it.
        package: The name under which it is imported.
        extra: The extra of this distribution that brings it.

    Raises:
        MissingPackageError: The package is not installed; the message says how to install it.
    """
    if find_spec(package) is None:
        raise MissingPackageError(missing_package(class_name, extra))
