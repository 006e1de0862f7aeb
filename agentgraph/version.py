"""The version of the installed distribution, read when it is first asked for.

Reading it loads `importlib.metadata`, which takes longer than most commands.
"""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING

__all__ = ["__version__", "installed_version"]

if TYPE_CHECKING:
    __version__: str


@cache
def installed_version() -> str:
    """The version of the installed distribution."""
    from importlib.metadata import PackageNotFoundError, version

    try:
        return version("agentgraph-workflows")
    except PackageNotFoundError:  # a checkout on the path that is not installed
        return "0+unknown"


def __getattr__(name: str) -> str:
    if name != "__version__":
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return installed_version()
