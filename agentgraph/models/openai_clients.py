"""The clients of a provider: one for each event loop and connection, made on first use.

A connection belongs to the event loop that opened it, so each loop has clients of its own.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from agentgraph.exceptions import UserError
from agentgraph.models.event_loops import LoopValues
from agentgraph.models.gate.server import shown_url
from agentgraph.models.gate.stream import close_all

if TYPE_CHECKING:
    from openai import AsyncOpenAI

__all__ = ["Clients", "Connection"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Connection:
    """The arguments of a client.

    Attributes:
        api_key: The key.
        base_url: The server's address; None is OpenAI's own.
        websocket_base_url: The address of its web socket; None derives it from the base URL.
        organization: The organization to bill; None takes `OPENAI_ORG_ID`.
        project: The project to bill; None takes `OPENAI_PROJECT_ID`.
        is_openai: Whether the server may see the organization and the project of the environment.
    """

    api_key: str = field(repr=False)
    base_url: str | None = field(default=None, repr=False)
    websocket_base_url: str | None = field(default=None, repr=False)
    organization: str | None = None
    project: str | None = None
    is_openai: bool = True


class Clients:
    """The clients that one provider made."""

    def __init__(self) -> None:
        self._clients: LoopValues[Connection, AsyncOpenAI] = LoopValues()

    def client(self, connection: Connection) -> AsyncOpenAI:
        """Return the running loop's client for a connection; make it on first use.

        Raises:
            UserError: The base URL is none.
        """
        clients = self._clients.here()
        if connection not in clients:
            clients[connection] = _new_client(connection)
        return clients[connection]

    async def aclose(self) -> None:
        """Close the clients of the running event loop."""
        await close_all(self._clients.take())


def _new_client(connection: Connection) -> AsyncOpenAI:
    from openai import AsyncOpenAI as Client

    try:
        client = Client(
            api_key=connection.api_key,
            base_url=connection.base_url,
            websocket_base_url=connection.websocket_base_url,
            organization=connection.organization,
            project=connection.project,
        )
    except Exception as error:
        if type(error).__name__ != "InvalidURL":  # of the HTTP library, httpx or httpx2
            raise
        # Its message may hold a part of the password.
        raise UserError(
            f"The base URL {shown_url(connection.base_url)!r} is not a URL. Characters such as "
            "'/', '@' and ':' in a user's name or a password must be percent-encoded."
        ) from None
    if not connection.is_openai:
        client.organization, client.project = connection.organization, connection.project
    return client
