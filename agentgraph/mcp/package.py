"""The official `mcp` package: looked for early, loaded late.

Rule: a program that only names a server class does not load the package, and one that makes a
server learns at once that the package is missing.
"""

from __future__ import annotations

from importlib.util import find_spec

__all__ = ["require_mcp"]


def require_mcp(wanted_by: str) -> None:
    """Make sure that the package is there.

    Args:
        wanted_by: The class that needs it.

    Raises:
        ImportError: It is not installed; the message says how to install it.
    """
    if find_spec("mcp") is None:
        raise ImportError(
            f"{wanted_by} needs a package that is not installed; "
            'run: pip install "agentgraph-workflows[mcp]"',
            name="mcp",
        )
