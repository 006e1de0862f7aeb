"""The version of the installed distribution."""

from __future__ import annotations

from importlib.metadata import PackageNotFoundError, version

__all__ = ["__version__"]

try:
    __version__ = version("agentgraph-workflows")
except PackageNotFoundError:  # a checkout on the path that is not installed
    __version__ = "0+unknown"
