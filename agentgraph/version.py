"""The version of the installed distribution."""

from __future__ import annotations

from importlib.metadata import PackageNotFoundError, version

__all__ = ["__version__"]

try:
    __version__ = version("agentgraph-workflows")
except PackageNotFoundError:  # A checkout that is on the path without being installed.
    __version__ = "0+unknown"
