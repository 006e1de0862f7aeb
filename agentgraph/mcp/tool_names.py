"""Names that distinguish the tools of several servers.

Rule: a name consists of the server's name and the tool's. It has only characters that the Responses
API accepts (letters, digits, `_` and `-`), at most 64 of them, and does not change between turns.
"""

from __future__ import annotations

import hashlib
import re
from collections import Counter
from collections.abc import Collection, Sequence
from typing import Final

__all__ = ["prefixed_names"]

_LONGEST: Final = 64
_DIGEST: Final = 8
_UNFIT: Final = re.compile(r"[^A-Za-z0-9_-]+")


def prefixed_names(
    tools: Sequence[str],
    servers: Sequence[str],
    position: int,
    reserved: Collection[str] = (),
) -> list[str]:
    """Name the tools of one server.

    A name gets a digest at its end if the plain name is too long, is not unique, or could also be
    that of another server's tool.

    Args:
        tools: The tools' names on the server.
        servers: The names of all servers of the agent, including this one.
        position: The index of this server in `servers`.
        reserved: Names that other tools of the agent have.
    """
    stems = [_fitted(server, "server") for server in servers]
    stem = stems[position]
    ambiguous = stems.count(stem) > 1
    plain = [f"mcp_{stem}__{_fitted(tool, 'tool')}" for tool in tools]
    uses = Counter(plain)
    return [
        _with_digest(name, f"{position if ambiguous else ''}\0{servers[position]}\0{tool}")
        if ambiguous or uses[name] > 1 or len(name) > _LONGEST or name in reserved
        else name
        for name, tool in zip(plain, tools, strict=True)
    ]


def _with_digest(name: str, identity: str) -> str:
    digest = hashlib.sha256(identity.encode()).hexdigest()[:_DIGEST]
    return f"{name[: _LONGEST - _DIGEST - 1]}_{digest}"


def _fitted(name: str, default: str) -> str:
    return _UNFIT.sub("_", name).strip("_") or default
