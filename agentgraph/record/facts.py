"""Facts: the frozen inputs of a run, the same from its first outcome to its last.

They include what the caller of a resumed run may pass again (configuration, hooks, session,
handlers), so each resumption makes new facts.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, NamedTuple

from agentgraph.approvals import RunPath
from agentgraph.run_config import RunConfig

if TYPE_CHECKING:
    from agentgraph.items import TResponseInputItem
    from agentgraph.lifecycle import RunHooks
    from agentgraph.memory import Session


class ConversationIds(NamedTuple):
    """The ids of the conversation that the server keeps, if it keeps one.

    Args:
        conversation_id: The stored conversation.
        previous_response_id: The response that the next call continues.
        chained: Whether each call continues the response before it.
    """

    conversation_id: str | None = None
    previous_response_id: str | None = None
    chained: bool = False

    @property
    def kept_by_server(self) -> bool:
        return self.chained or self.conversation_id is not None


NO_CONVERSATION = ConversationIds()
NO_HANDLERS: Mapping[str, Any] = MappingProxyType({})


class RunFacts(NamedTuple):
    """The inputs of a run.

    Args:
        run_id: Names the run; shared by the runs inside it.
        path: The calls that the run is nested in; empty for an outermost run.
        machine: The name of the machine, for a nested run.
        input: The input as the caller gave it.
        config: The run's configuration.
        provider: Finds models by name.
        limit: The most turns allowed; ``None`` means no limit.
        session: The store of the conversation, if there is one.
        hooks: The caller's hooks.
        handlers: The caller's error handlers, by fault.
        conversation: The conversation that the server keeps when the run begins.
    """

    run_id: str
    path: RunPath
    machine: str
    input: str | list[TResponseInputItem]
    config: RunConfig
    provider: Any
    limit: int | None = None
    session: Session | None = None
    hooks: RunHooks[Any] | None = None
    handlers: Mapping[str, Any] = NO_HANDLERS
    conversation: ConversationIds = NO_CONVERSATION
