"""Check early that the official `mcp` package is installed, without loading it.

Rule: importing a server class does not load the package; making a server raises at once if the
package is missing.
"""

from __future__ import annotations

from importlib.util import find_spec

from agentgraph.exceptions import missing_package

__all__ = ["require_mcp"]


def require_mcp(class_name: str) -> None:
    """Raise if the package is not installed.

    Args:
        class_name: The class that needs it.

    Raises:
        ImportError: The package is not installed; the message says how to install it.
    """
    if find_spec("mcp") is None:
        raise ImportError(missing_package(class_name, "mcp"), name="mcp")
