"""What a `with` block makes current: traces and spans, which nest through context variables.

A task and a thread that a program starts inherit both, and what they enter stays theirs.
"""

from __future__ import annotations

import abc
from contextvars import ContextVar, Token
from types import TracebackType
from typing import Any, Final, Self

from agentgraph.logger import logger

__all__ = ["NO_ID", "Entered", "NotRecorded"]

NO_ID: Final = "no-op"
"""The id of traces and spans that are not recorded."""


class Entered(abc.ABC):
    """What a `with` block starts, makes current, finishes, and takes back."""

    _variable: ContextVar[Any]
    _token: Token[Any] | None = None

    @abc.abstractmethod
    def start(self, mark_as_current: bool = False) -> None: ...

    @abc.abstractmethod
    def finish(self, reset_current: bool = False) -> None: ...

    def __enter__(self) -> Self:
        self.start(mark_as_current=True)
        return self

    def __exit__(
        self,
        exc_type: type[BaseException] | None,
        exc_val: BaseException | None,
        exc_tb: TracebackType | None,
    ) -> None:
        self.finish(reset_current=True)

    def _make_current(self) -> None:
        self._token = self._variable.set(self)

    def _take_back(self) -> None:
        token, self._token = self._token, None
        if token is None:
            return
        try:
            self._variable.reset(token)
        except ValueError:
            # An abandoned generator is closed by another task, which has a context of its own.
            logger.debug("A trace or span ended in another context than it began in")


class NotRecorded(Entered):
    """A trace or span that is current in its block and of which no processor is told."""

    trace_id = NO_ID
    tracing_api_key = None

    def start(self, mark_as_current: bool = False) -> None:
        if mark_as_current:
            self._make_current()

    def finish(self, reset_current: bool = False) -> None:
        if reset_current:
            self._take_back()

    def export(self) -> None:
        return None
