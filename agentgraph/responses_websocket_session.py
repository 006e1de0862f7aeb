"""The SDK's module path; the code is in `agentgraph.extensions.models.responses_websocket`."""

from agentgraph.extensions.models.responses_websocket import (
    ResponsesWebSocketSession,
    responses_websocket_session,
)

__all__ = ["ResponsesWebSocketSession", "responses_websocket_session"]
