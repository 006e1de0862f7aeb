"""Secrets out of recordings: what a `Scrubber` replaces in the rows of a journal.

Keys of dictionaries and of JSON inside texts name most secrets; patterns find those in running
text. The same secret is replaced in the same way everywhere, so a scrubbed recording fits its run.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from agentgraph.exceptions import UserError

__all__ = ["SCRUBBED", "Scrubber"]

SCRUBBED: Final = "[scrubbed]"

_KEYS: Final = frozenset(
    (
        "access_key",
        "access_token",
        "api_key",
        "apikey",
        "auth_token",
        "authorization",
        "bearer",
        "client_secret",
        "cookie",
        "credentials",
        "id_token",
        "passphrase",
        "passwd",
        "password",
        "private_key",
        "proxy_authorization",
        "refresh_token",
        "secret",
        "secret_key",
        "session_token",
        "set_cookie",
        "token",
    )
)
_ENDINGS: Final = ("_api_key", "_token", "_secret", "_password", "_private_key", "_secret_key")
_PATTERNS: Final = tuple(
    map(
        re.compile,
        (
            r"\bsk-[A-Za-z0-9_-]{16,}",  # OpenAI, Anthropic
            r"\b(?:gh[pousr]_|github_pat_|glpat-)[A-Za-z0-9_-]{16,}",  # GitHub, GitLab
            r"\bxox[abeoprs]-[A-Za-z0-9-]{10,}",  # Slack
            r"\b(?:AKIA|ASIA)[0-9A-Z]{16}\b",  # AWS
            r"\bAIza[0-9A-Za-z_-]{30,}",  # Google
            r"\b[rs]k_(?:live|test)_[0-9A-Za-z]{10,}",  # Stripe
            r"\bhf_[A-Za-z0-9]{20,}",  # Hugging Face
            r"\beyJ[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]*",  # JSON Web Token
            r"-----BEGIN [A-Z ]*PRIVATE KEY-----[\s\S]*?-----END [A-Z ]*PRIVATE KEY-----",
            r"(?i)(?<=\bbearer )\S{8,}",
            r"(?i)(?<=\bbasic )[A-Za-z0-9+/]{8,}={0,2}",
            r"(?i)(?<=://)[^/\s:@]+:[^/\s@]+(?=@)",  # the user and the password of a URL
            r"(?i)(?<=[?&]key=)[^&\s#]+",
            r"(?i)(?<=[?&]token=)[^&\s#]+",
            r"(?i)(?<=[?&]api_key=)[^&\s#]+",
            r"(?i)(?<=[?&]access_token=)[^&\s#]+",
            r"(?i)(?<=\bapi[_-]key[:=])\s*[^\s&,;]+",
            r"(?i)(?<=\bpassword[:=])\s*[^\s&,;]+",
            r"(?i)(?<=\bauthorization:)\s*\S+(?: \S+)?",
        ),
    )
)
# The structure of a journal, which no secret is part of.
_STRUCTURE: Final = frozenset({"$type", "class", "event", "is", "kind", "role", "status", "type"})


@dataclass(frozen=True, slots=True)
class Scrubber:
    """Replaces secrets by `[scrubbed]`.

    Keys of known providers, tokens, authorization headers, passwords in URLs and private keys are
    always replaced, and so is every text under a key such as `api_key`, `authorization`, `password`
    or `…_token`.

    Args:
        patterns: Further regular expressions; what one matches is replaced.
        keys: Further names of keys, in any case, with `_` or `-`.
        function: Gets each text after that and returns it without what else is secret.

    Raises:
        UserError: A pattern is no regular expression.
    """

    patterns: Iterable[str | re.Pattern[str]] = ()
    keys: Collection[str] = ()
    function: Callable[[str], str] | None = None
    _all: tuple[re.Pattern[str], ...] = field(init=False, repr=False, compare=False)
    _names: frozenset[str] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        try:
            own = tuple(re.compile(pattern) for pattern in self.patterns)
        except re.error as error:
            raise UserError(
                f"Scrubber: {error.pattern!r} is no regular expression: {error}"
            ) from error
        object.__setattr__(self, "_all", (*_PATTERNS, *own))
        object.__setattr__(self, "_names", _KEYS | {_plain(key) for key in self.keys})

    def text(self, text: str) -> str:
        """A text without secrets; a text that holds JSON stays JSON."""
        stripped = text.lstrip()
        if stripped.startswith(("{", "[")):
            try:
                value = json.loads(text)
            except (ValueError, RecursionError):
                pass
            else:
                scrubbed = self.data(value)
                # A text in which nothing is secret keeps its spelling.
                return text if scrubbed == value else json.dumps(scrubbed, ensure_ascii=False)
        for pattern in self._all:
            text = pattern.sub(SCRUBBED, text)
        return text if self.function is None else self.function(text)

    def data(self, value: object) -> Any:
        """JSON data without secrets, as a copy."""
        match value:
            case str():
                return self.text(value)
            case dict():
                return {key: self._entry(key, entry, value) for key, entry in value.items()}
            case list():
                return [self.data(entry) for entry in value]
            case _:
                return value

    def _entry(self, key: str, value: object, siblings: Mapping[str, Any]) -> Any:
        if key in _STRUCTURE and isinstance(value, str):
            return value
        # A token with its probability is a piece of a text.
        if self._is_secret(_plain(key)) and "logprob" not in siblings:
            return _blank(value)
        return self.data(value)

    def _is_secret(self, name: str) -> bool:
        return name in self._names or name.endswith(_ENDINGS)


def _plain(key: str) -> str:
    return key.lower().replace("-", "_").removeprefix("x_")


def _blank(value: object) -> Any:
    """A value with every text in it replaced."""
    match value:
        case "":
            return value
        case str():
            return SCRUBBED
        case dict():
            return {key: _blank(entry) for key, entry in value.items()}
        case list():
            return [_blank(entry) for entry in value]
        case _:
            return value
