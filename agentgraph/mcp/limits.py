"""The limits that a program sets for a server, checked when the server is made."""

from __future__ import annotations

from collections.abc import Mapping

from agentgraph.authoring.amounts import check_count, check_seconds

__all__ = ["check_limits"]


def check_limits(params: object, answer: object, pages: object) -> None:
    """Refuse invalid limits.

    Args:
        params: The server's parameters, of which `timeout` and `sse_read_timeout` are limits, in
            seconds.
        answer: How long the server may take to answer, in seconds.
        pages: How many pages of tools to read.

    Raises:
        UserError: A limit is out of its range.
        AgentDefinitionError: A limit is not a number.
    """
    check_seconds("client_session_timeout_seconds", answer, zero=True)
    if pages is not None:
        check_count("max_list_pages", pages, "a whole number, 1 or more, or None", least=1)
    if isinstance(params, Mapping):
        for name in ("timeout", "sse_read_timeout"):
            check_seconds(name, params.get(name))
