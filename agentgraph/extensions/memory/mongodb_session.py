"""A session in MongoDB, in the SDK's collections; `mongodb_documents` describes them.

One write of one document stores all items of a call, so they are stored together or not at all.
This needs no transaction, and so no replica set.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Self

from agentgraph.extensions.memory.client_session import ClientSession, Texts
from agentgraph.extensions.memory.mongodb_blocks import BlocksOfASession
from agentgraph.extensions.memory.mongodb_documents import LARGEST_TEXT, Document
from agentgraph.memory.encoding import check_session_id
from agentgraph.memory.errors import InvalidSessionInput, MissingExtra
from agentgraph.memory.runs.saves import Block
from agentgraph.memory.session_settings import SessionSettings, own_session_settings

try:
    from bson import CodecOptions
    from bson.errors import BSONError
    from pymongo import AsyncMongoClient, ReadPreference
    from pymongo.errors import InvalidName, OperationFailure, PyMongoError
except ImportError as error:
    raise MissingExtra("MongoDBSession", "mongodb") from error

if TYPE_CHECKING:
    from agentgraph.items import TResponseInputItem

__all__ = ["MongoDBSession"]

# Read texts and numbers as they are stored, whatever codec the program's client has.
_CODEC: CodecOptions[Document] = CodecOptions(document_class=dict)


class MongoDBSession(ClientSession):
    """A conversation in MongoDB.

    The published SDK reads and continues these conversations, and this class the SDK's; but the SDK
    does not see the items of a run beyond its first 8 MB.

    Args:
        session_id: The name of the conversation.
        client: The client. The caller closes it. Its settings hold, except that reads always go to
            the primary, because a run must see the items that the run before it stored.
        database: The name of the database.
        sessions_collection: The collection with one document per conversation.
        messages_collection: The collection with the items.
        session_settings: Defaults for reads, as settings or as a dict.

    Raises:
        InvalidSessionInput: The session id is empty, MongoDB does not allow a name, or the client's
            writes are not acknowledged.
    """

    _failures = (PyMongoError, BSONError, OSError)

    def __init__(
        self,
        session_id: str,
        *,
        client: AsyncMongoClient[Any],
        database: str = "agents",
        sessions_collection: str = "agent_sessions",
        messages_collection: str = "agent_messages",
        session_settings: SessionSettings | dict[str, Any] | None = None,
    ) -> None:
        self.session_id = check_session_id(session_id, type(self).__name__)
        self.session_settings = own_session_settings(session_settings)
        if not client.write_concern.acknowledged:
            raise InvalidSessionInput(
                f"{self._label} needs acknowledged writes; give a client without w=0"
            )
        try:
            place = client.get_database(
                database, codec_options=_CODEC, read_preference=ReadPreference.PRIMARY
            )
            self._blocks = BlocksOfASession(
                session_id, self._label, place[sessions_collection], place[messages_collection]
            )
        except InvalidName as error:
            raise InvalidSessionInput(
                f"{self._label}: MongoDB does not allow this name of a database or collection "
                f"({error}); choose another"
            ) from error
        self._client = client
        self._place = f"{database}.{messages_collection}"

    @classmethod
    def from_uri(
        cls,
        session_id: str,
        *,
        uri: str,
        database: str = "agents",
        client_kwargs: dict[str, Any] | None = None,
        session_settings: SessionSettings | dict[str, Any] | None = None,
        **kwargs: Any,
    ) -> Self:
        """Make a session with a client of its own, which `close` closes.

        Args:
            session_id: The name of the conversation.
            uri: A URI such as `mongodb://localhost:27017` or `mongodb+srv://…`.
            database: The name of the database.
            client_kwargs: Arguments for `pymongo.AsyncMongoClient`. `serverSelectionTimeoutMS` is
                how long to look for a server that does not answer; the default is 30 seconds.
            session_settings: Defaults for reads.
            kwargs: Arguments for the class.

        Raises:
            InvalidSessionInput: The URI is not one of MongoDB, or the client does not have an
                argument.
        """
        check_session_id(session_id, cls.__name__)
        try:
            client: AsyncMongoClient[Any] = AsyncMongoClient(uri, **(client_kwargs or {}))
        except (PyMongoError, ValueError, TypeError):
            # The error about an invalid URI may quote a part of the password.
            raise InvalidSessionInput(
                f"{cls.__name__} {session_id!r}: this is no URI of MongoDB, or an option of it or "
                "of client_kwargs is wrong; write mongodb://host:27017 or "
                "mongodb://name:password@host:27017, with : / @ and % in name and password "
                "percent-encoded (urllib.parse.quote_plus)"
            ) from None
        session = cls(
            session_id,
            client=client,
            database=database,
            session_settings=session_settings,
            **kwargs,
        )
        session._owns_client = True
        return session

    async def _latest(self, count: int | None) -> tuple[Texts, bool]:
        with self._errors():
            return await self._blocks.latest_texts(count)

    async def _add(self, texts: list[str], block: Block | None) -> None:
        with self._errors():
            await self._blocks.append(texts, block)

    async def _adopt(self, items: list[TResponseInputItem], own: Block) -> Block | None:
        with self._errors():
            return await self._blocks.adopt(items, own)

    async def _release(self, block: Block) -> None:
        with self._errors():
            await self._blocks.release(block)

    async def _remove(self, place: int, text: str | bytes) -> bool:
        with self._errors():
            return await self._blocks.remove(place, text)

    async def _clear(self) -> None:
        with self._errors():
            await self._blocks.clear()

    async def _ping(self) -> object:
        return await self._client.admin.command("ping")

    async def _close_client(self) -> None:
        await self._client.close()

    def _encoded(self, items: list[TResponseInputItem]) -> list[str]:
        texts = super()._encoded(items)
        for index, text in enumerate(texts):
            if len(text) > LARGEST_TEXT:
                raise InvalidSessionInput(
                    f"{self._label}: items[{index}] has {len(text):,} bytes as JSON, and MongoDB "
                    f"takes {LARGEST_TEXT:,} at most; put large content in a file or elsewhere "
                    "and store a reference to it; nothing was stored"
                )
        return texts

    def _failure(self, error: Exception) -> str:
        return (
            f" in {self._place!r}: MongoDB did not confirm ({_reason(error)}); "
            "check that it can be reached and that its user may read and write there; "
            "a write was done completely or not at all"
        )


def _reason(error: BaseException) -> str:
    """Return the message of an error without the driver's additions: the server's whole answer,
    which may quote an item, or a description of all servers."""
    details = error.details if isinstance(error, OperationFailure) else None
    if details is not None:
        return str(details.get("errmsg", details.get("codeName", type(error).__name__)))
    return str(error).partition(", Timeout: ")[0]
