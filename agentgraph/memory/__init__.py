"""Session stores: where a conversation lives between runs.

Names are resolved on first use, so importing the package loads neither `sqlite3` nor `openai`.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

from agentgraph.memory.session import (
    OpenAIResponsesCompactionArgs,
    OpenAIResponsesCompactionAwareSession,
    Session,
    SessionABC,
    is_openai_responses_compaction_aware_session,
)
from agentgraph.memory.session_settings import SessionSettings
from agentgraph.memory.util import SessionInputCallback

if TYPE_CHECKING:
    from agentgraph.memory.openai_conversations_session import OpenAIConversationsSession
    from agentgraph.memory.openai_responses_compaction_session import (
        OpenAIResponsesCompactionSession,
    )
    from agentgraph.memory.sqlite_session import SQLiteSession

__all__ = [
    "OpenAIConversationsSession",
    "OpenAIResponsesCompactionArgs",
    "OpenAIResponsesCompactionAwareSession",
    "OpenAIResponsesCompactionSession",
    "SQLiteSession",
    "Session",
    "SessionABC",
    "SessionInputCallback",
    "SessionSettings",
    "is_openai_responses_compaction_aware_session",
]

_LAZY = {
    "OpenAIConversationsSession": "agentgraph.memory.openai_conversations_session",
    "OpenAIResponsesCompactionSession": "agentgraph.memory.openai_responses_compaction_session",
    "SQLiteSession": "agentgraph.memory.sqlite_session",
}


def __getattr__(name: str) -> Any:
    if name in _LAZY:
        return getattr(importlib.import_module(_LAZY[name]), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
