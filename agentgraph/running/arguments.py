"""Checks of a run's arguments, made before any model is called."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from agentgraph.exceptions import AgentDefinitionError, UserError
from agentgraph.lifecycle import RunHooksBase
from agentgraph.run_config import RunOptions
from agentgraph.run_error_handlers import RECOVERABLE
from agentgraph.user_code.arity import accepts

__all__ = ["check_input", "check_options"]


def check_input(input: object) -> None:
    """Refuse a value that is not the input of a run.

    Args:
        input: A text, or a list of texts and input items.

    Raises:
        UserError: It is neither; the message names the place.
    """
    if not isinstance(input, str | list):
        raise UserError(
            f"The input of a run is a text or a list of items, got {type(input).__name__}."
        )
    if isinstance(input, str):
        return
    for position, item in enumerate(input):
        if isinstance(item, str | Mapping) or hasattr(item, "model_dump"):
            continue
        advice = " Pass result.to_input_list()." if hasattr(item, "to_input_item") else ""
        raise UserError(
            f"input[{position}] is a {type(item).__name__}; an input item is a text, a dictionary"
            f" or one of the client's response models.{advice}"
        )


_OPTIONS: Final = RunOptions.__annotations__.keys()


def check_options(options: Mapping[str, Any]) -> None:
    """Refuse options that a run cannot work with.

    Args:
        options: The keyword arguments of the runner (``RunOptions``).

    Raises:
        TypeError: There is no such option.
        UserError: An option has the wrong type, or options contradict each other.
    """
    if unknown := options.keys() - _OPTIONS:
        raise TypeError(f"Runner.run() got an unexpected keyword argument {sorted(unknown)[0]!r}")
    hooks = options.get("hooks")
    if hooks is not None and not isinstance(hooks, RunHooksBase):
        raise AgentDefinitionError(
            f"hooks must be RunHooks, got {type(hooks).__name__}; AgentHooks belong on Agent.hooks"
        )
    limit = options.get("max_turns")
    if limit is not None and (isinstance(limit, bool) or not isinstance(limit, int)):
        raise AgentDefinitionError(
            f"max_turns must be a whole number of model calls or None, got {type(limit).__name__}"
        )
    _check_handlers(options.get("error_handlers"))
    _check_session(options)
    _check_journal(options)


def _check_handlers(handlers: object) -> None:
    if handlers is None:
        return
    if not isinstance(handlers, Mapping):
        raise AgentDefinitionError(
            f"error_handlers must be a dictionary, got {type(handlers).__name__}"
        )
    for fault, handler in handlers.items():
        if fault not in RECOVERABLE:
            kinds = ", ".join(map(repr, RECOVERABLE))
            raise UserError(f"error_handlers has no kind {fault!r}; the kinds are {kinds}.")
        if handler is not None and not callable(handler):
            raise AgentDefinitionError(
                f"error_handlers[{fault!r}] must be callable, got {type(handler).__name__}"
            )
        if handler is not None and not accepts(handler, 1):
            raise AgentDefinitionError(
                f"error_handlers[{fault!r}] must be callable with one argument: the failure"
            )


def _check_journal(options: Mapping[str, Any]) -> None:
    journal, run_id = options.get("journal"), options.get("run_id")
    if journal is not None and not (hasattr(journal, "append") and hasattr(journal, "claim")):
        raise AgentDefinitionError(
            f"journal must be a journal such as SQLiteJournal, got {type(journal).__name__}"
        )
    if run_id is not None and (not isinstance(run_id, str) or not _is_writable(run_id)):
        raise UserError("run_id must be a text that is not empty and that UTF-8 can carry")
    if options.get("if_running", "wait") not in ("wait", "raise"):
        raise UserError(f"if_running is 'wait' or 'raise', not {options['if_running']!r}")


def _is_writable(text: str) -> bool:
    """Whether a text is not empty, and UTF-8 can carry it."""
    try:
        return bool(text.encode())
    except UnicodeEncodeError:
        return False


def _check_session(options: Mapping[str, Any]) -> None:
    session = options.get("session")
    if session is None:
        return
    if not (hasattr(session, "get_items") and hasattr(session, "add_items")):
        raise AgentDefinitionError(
            f"session must be a Session, got {type(session).__name__}: it needs get_items and"
            " add_items"
        )
    kept_by_server = ("conversation_id", "previous_response_id", "auto_previous_response_id")
    if any(options.get(name) for name in kept_by_server):
        raise UserError(
            "session cannot be combined with conversation_id, previous_response_id or"
            " auto_previous_response_id: either the session or the server keeps the conversation"
        )
