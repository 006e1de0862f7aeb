"""Session stores that need an additional package, or offer more than the default store.

A name is imported on first use. If its package is missing, the error names the extra of this
distribution that installs it.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from agentgraph.extensions.memory.advanced_sqlite_session import AdvancedSQLiteSession
    from agentgraph.extensions.memory.async_sqlite_session import AsyncSQLiteSession
    from agentgraph.extensions.memory.dapr_session import (
        DAPR_CONSISTENCY_EVENTUAL,
        DAPR_CONSISTENCY_STRONG,
        DaprSession,
    )
    from agentgraph.extensions.memory.encrypt_session import EncryptedSession
    from agentgraph.extensions.memory.mongodb_session import MongoDBSession
    from agentgraph.extensions.memory.redis_session import RedisSession
    from agentgraph.extensions.memory.sqlalchemy_session import SQLAlchemySession
    from agentgraph.extensions.memory.stored_in_sqlalchemy import SQLAlchemyStoredSessions
    from agentgraph.extensions.memory.stored_in_sqlite import SQLiteStoredSessions

__all__ = [
    "DAPR_CONSISTENCY_EVENTUAL",
    "DAPR_CONSISTENCY_STRONG",
    "AdvancedSQLiteSession",
    "AsyncSQLiteSession",
    "DaprSession",
    "EncryptedSession",
    "MongoDBSession",
    "RedisSession",
    "SQLAlchemySession",
    "SQLAlchemyStoredSessions",
    "SQLiteStoredSessions",
]

_MODULES = {
    "DAPR_CONSISTENCY_EVENTUAL": "dapr_session",
    "DAPR_CONSISTENCY_STRONG": "dapr_session",
    "AdvancedSQLiteSession": "advanced_sqlite_session",
    "AsyncSQLiteSession": "async_sqlite_session",
    "DaprSession": "dapr_session",
    "EncryptedSession": "encrypt_session",
    "MongoDBSession": "mongodb_session",
    "RedisSession": "redis_session",
    "SQLAlchemySession": "sqlalchemy_session",
    "SQLAlchemyStoredSessions": "stored_in_sqlalchemy",
    "SQLiteStoredSessions": "stored_in_sqlite",
}


def __getattr__(name: str) -> Any:
    if name in _MODULES:
        return getattr(importlib.import_module(f"{__name__}.{_MODULES[name]}"), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
