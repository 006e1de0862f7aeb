"""Journals of durable runs that need an additional package.

A name is imported on first use. If its package is missing, the error names the extra of this
distribution that installs it.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from agentgraph.extensions.journals.encrypted import EncryptedJournal
    from agentgraph.extensions.journals.postgres import PostgresJournal

__all__ = ["EncryptedJournal", "PostgresJournal"]

_MODULES = {"EncryptedJournal": "encrypted", "PostgresJournal": "postgres"}


def __getattr__(name: str) -> Any:
    if name in _MODULES:
        return getattr(importlib.import_module(f"{__name__}.{_MODULES[name]}"), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
