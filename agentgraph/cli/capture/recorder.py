"""The recorder of the command line: notes what a file makes and ends every run before it begins."""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from types import FrameType
from typing import Any, Final, NoReturn

from agentgraph.authoring.origin import caller_origin
from agentgraph.frontend.origins import origin_of
from agentgraph_compiler.diagnostics import UNKNOWN, Origin

__all__ = ["MODULE", "Made", "Mistake", "ProgramRecorder", "RunStart", "RunStopped", "place_in"]

MODULE: Final = "module"
"""The entry of a file that runs when the file is imported."""

_PATIENCE: Final = 3
"""The runs that one entry may begin: each further one says that the program catches the stop."""


class RunStopped(BaseException):
    """A run was about to begin. This is no ``Exception``, so that programs do not handle it."""


@dataclass(frozen=True, slots=True)
class Made:
    """An agent or a workflow.

    Args:
        authored: The object.
        origin: Where the file makes it.
        lists_handoffs: Whether it has handoffs from the beginning.
    """

    authored: Any
    origin: Origin
    lists_handoffs: bool


@dataclass(frozen=True, slots=True)
class Mistake:
    """A mistake in a definition.

    Args:
        error: The error that a program would get.
        origin: The line of the file that makes it.
    """

    error: Exception
    origin: Origin


@dataclass(frozen=True, slots=True)
class RunStart:
    """A run that was about to begin.

    Args:
        source: The agent, workflow or program.
        place: Where the file begins the run.
        entry: What of the file was running.
        options: The options of the run.
    """

    source: object
    place: Origin
    entry: str
    options: Mapping[str, Any] = field(default_factory=dict)


class ProgramRecorder:
    """Notes the agents, the workflows, the mistakes and the runs of a file.

    Args:
        file: The file, as tracebacks name it.
        give_up: Called if the program catches the end of every run and goes on; it must not return.
    """

    def __init__(self, file: str, give_up: Callable[[], NoReturn] | None = None) -> None:
        self.entry = MODULE
        self.objects: list[Made] = []
        self.runs: list[RunStart] = []
        self.mistakes: list[Mistake] = []
        self._file = file
        self._give_up = give_up

    def made(self, authored: object, /) -> None:
        """Note an agent or a workflow."""
        lists_handoffs = bool(getattr(authored, "handoffs", None))
        self.objects.append(Made(authored, origin_of(authored), lists_handoffs))

    def mistaken(self, error: Exception, authored: object = None, /) -> None:
        """Note a mistake in a definition."""
        origin = place_in(self._file) or origin_of(authored)
        self.mistakes.append(Mistake(error, origin if origin != UNKNOWN else self._place()))

    def started(self, source: object, options: Mapping[str, Any], /) -> NoReturn:
        """Note a run and end it.

        Raises:
            RunStopped: Always.
        """
        self.runs.append(RunStart(source, self._place(), self.entry, options))
        stops = sum(run.entry == self.entry for run in self.runs)
        if stops > _PATIENCE and self._give_up is not None:
            self._give_up()
        raise RunStopped(f"the run of {getattr(source, 'name', source)!r} was recorded")

    def stopped(self, entry: str) -> bool:
        """Whether an entry began a run."""
        return any(run.entry == entry for run in self.runs)

    def _place(self) -> Origin:
        return place_in(self._file) or Origin(*caller_origin())


def place_in(file: str) -> Origin | None:
    """The innermost line of a file that is being executed; ``None`` if none is."""
    frame: FrameType | None = sys._getframe(1)
    while frame is not None:
        if frame.f_code.co_filename == file:
            return Origin(file, frame.f_lineno)
        frame = frame.f_back
    return None
