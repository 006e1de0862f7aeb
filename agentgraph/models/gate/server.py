"""The sender of a reply, as messages name it: the model and its server, without credentials."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, field
from functools import lru_cache
from urllib.parse import urlsplit

from agentgraph.exceptions import ModelBehaviorError

__all__ = ["Server", "shown_url", "with_agent"]

_PERHAPS_A_KEY = re.compile(r"(?=.*\d)[\w.~%-]{20,}|[\w.~%-]{40,}")
_SHORTEST_KEY = 8  # A shorter one, such as "none", is no secret and may be part of a word.
_USER = re.compile(r"^([^:/]*://).*@")


@dataclass(frozen=True, slots=True)
class Server:
    """Who sent a reply.

    Attributes:
        model: The model's name.
        url: The base URL as messages show it (`shown_url`); None if the model has none.
        key: The API key, which no message repeats; None if the model has none.
    """

    model: str
    url: str | None = None
    key: str | None = field(default=None, repr=False, compare=False)

    @classmethod
    def of(cls, model: object) -> Server:
        """Return the server of any model; a model of a third party is named by its class."""
        server = getattr(model, "server", None)
        if isinstance(server, Server):
            return server
        name = getattr(model, "model", None)
        return cls(name if isinstance(name, str) else type(model).__name__)

    def __str__(self) -> str:
        return f"The model {self.model!r}" + (f" at {self.url}" if self.url else "")

    def fault(self, what: str) -> ModelBehaviorError:
        """Return an error about a reply.

        Args:
            what: What is wrong, as the rest of a sentence that begins with the model.
        """
        error = ModelBehaviorError(self.without_key(f"{self} {what}"))
        error.source = str(self)
        return error

    def without_key(self, text: str) -> str:
        """Return a text without the API key, which some servers repeat in their messages."""
        if self.key is None or len(self.key) < _SHORTEST_KEY:
            return text
        return text.replace(self.key, "…")

    def keep_key_out(self, error: Exception) -> None:
        """Take the API key out of the messages of a client's exception."""
        error.args = tuple(
            self.without_key(part) if isinstance(part, str) else part for part in error.args
        )
        if isinstance(message := getattr(error, "message", None), str):
            error.message = self.without_key(message)  # type: ignore[attr-defined]
        if isinstance(body := getattr(error, "body", None), str | dict):
            error.body = json.loads(self.without_key(json.dumps(body)))  # type: ignore[attr-defined]


def with_agent(error: Exception, agent_name: str) -> Exception:
    """Name the agent in an error about a reply (`Server.fault`), which names the model alone."""
    if isinstance(error, ModelBehaviorError) and error.source is not None:
        named = f"Agent {agent_name!r}: "
        if not error.message.startswith(named):
            error.message = named + error.message
            error.args = (error.message,)
    return error


def shown_url(url: object) -> str:
    """Return a base URL without user, password and query, and without any part of its path that
    may be a key."""
    return _without_secrets(str(url))


@lru_cache(64)  # a model names its server in every call
def _without_secrets(url: str) -> str:
    # A user or a password that is not percent-encoded may hold a slash.
    parts = urlsplit(_USER.sub(r"\1", url))
    host = parts.hostname or ""
    host = f"[{host}]" if ":" in host else host
    try:
        port = f":{parts.port}" if parts.port is not None else ""
    except ValueError:  # a password that is not percent-encoded may stand here
        port = ""
    steps = ["…" if _PERHAPS_A_KEY.fullmatch(step) else step for step in parts.path.split("/")]
    return f"{parts.scheme}://{host}{port}{'/'.join(steps)}".rstrip("/")
