"""Every store is a session. Both checkers must reject the lines marked so, and no other."""

from agentgraph import (
    Agent,
    OpenAIConversationsSession,
    Runner,
    SessionABC,
    SessionSettings,
    SQLiteSession,
    TResponseInputItem,
)
from agentgraph.extensions.memory import (
    AdvancedSQLiteSession,
    AsyncSQLiteSession,
    DaprSession,
    EncryptedSession,
    MongoDBSession,
    RedisSession,
    SQLAlchemySession,
)
from agentgraph.memory import OpenAIResponsesCompactionSession

agent = Agent(name="Clerk")


class ListSession:
    """A store without a base class, with a narrower type of settings."""

    def __init__(self) -> None:
        self.session_id = "list"
        self.session_settings = SessionSettings()
        self.items: list[TResponseInputItem] = []

    async def get_items(self, limit: int | None = None) -> list[TResponseInputItem]:
        return self.items[-limit:] if limit else self.items

    async def add_items(self, items: list[TResponseInputItem]) -> None:
        self.items += items

    async def pop_item(self) -> TResponseInputItem | None:
        return self.items.pop() if self.items else None

    async def clear_session(self) -> None:
        self.items.clear()


class NoSession:
    session_id = "none"


async def run(
    stores: tuple[
        AdvancedSQLiteSession,
        AsyncSQLiteSession,
        DaprSession,
        EncryptedSession,
        MongoDBSession,
        OpenAIConversationsSession,
        OpenAIResponsesCompactionSession,
        RedisSession,
        SessionABC,
        SQLAlchemySession,
    ],
) -> None:
    await Runner.run(agent, "Hi", session=SQLiteSession("a"))
    await Runner.run(agent, "Hi", session=ListSession())
    await Runner.run(agent, "Hi", session=stores[0])
    await Runner.run(agent, "Hi", session=stores[1])
    await Runner.run(agent, "Hi", session=stores[2])
    await Runner.run(agent, "Hi", session=stores[3])
    await Runner.run(agent, "Hi", session=stores[4])
    await Runner.run(agent, "Hi", session=stores[5])
    await Runner.run(agent, "Hi", session=stores[6])
    await Runner.run(agent, "Hi", session=stores[7])
    await Runner.run(agent, "Hi", session=stores[8])
    await Runner.run(agent, "Hi", session=stores[9])
    await Runner.run(agent, "Hi", session=NoSession())  # rejected
