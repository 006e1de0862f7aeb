"""Whether this process may call the models of servers: tests forbid it, so that no test calls a
paid service by mistake.

What forbids calls belongs to the process, not to a context, since a program may call a model in any
of its tasks and threads. A model that replies by itself (`ScriptedModel`) is never forbidden.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator

from agentgraph.exceptions import UserError
from agentgraph.models.gate.server import Server

__all__ = ["allow_model_calls", "check_calls_allowed", "no_model_calls"]

_forbidden_by: tuple[str | None, ...] = ()


def check_calls_allowed(server: Server) -> None:
    """Refuse a call while calls are forbidden.

    Raises:
        UserError: They are.
    """
    by = _forbidden_by[-1] if _forbidden_by else None
    if by is not None:
        raise UserError(
            f"{server} was called, but {by} forbids calls of real models. Give the agent a"
            " ScriptedModel, or allow the call: @pytest.mark.allow_model_calls on the test."
        )


@contextlib.contextmanager
def no_model_calls(by: str = "no_model_calls()") -> Iterator[None]:
    """Forbid calls of the models of servers, in this whole process, until the end of the context.

    Args:
        by: What forbids them, for the message of the error.
    """
    with _while(by):
        yield


@contextlib.contextmanager
def allow_model_calls() -> Iterator[None]:
    """Allow calls again inside a context that forbids them."""
    with _while(None):
        yield


@contextlib.contextmanager
def _while(by: str | None) -> Iterator[None]:
    global _forbidden_by
    before, _forbidden_by = _forbidden_by, (*_forbidden_by, by)
    try:
        yield
    finally:
        _forbidden_by = before
