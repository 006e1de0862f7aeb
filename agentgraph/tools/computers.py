"""Computers that are made for one run, and disposed of when the run is at rest."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Generic, Protocol

from typing_extensions import TypeVar

from agentgraph.computer import AsyncComputer, Computer
from agentgraph.exceptions import UserError
from agentgraph.logger import log_tool_action_warning, logger
from agentgraph.run_context import RunContextWrapper
from agentgraph.user_code.callbacks import MaybeAwaitable, resolve

__all__ = [
    "ComputerCreate",
    "ComputerDispose",
    "ComputerProvider",
    "ComputerT",
    "ComputerT_co",
    "ComputerT_contra",
    "MaybeAwaitable",
    "dispose_resolved_computers",
    "is_computer",
    "resolve_computer",
]

ComputerT = TypeVar("ComputerT", bound=Computer | AsyncComputer, default=Any)
ComputerT_co = TypeVar("ComputerT_co", bound=Computer | AsyncComputer, covariant=True, default=Any)
ComputerT_contra = TypeVar(
    "ComputerT_contra", bound=Computer | AsyncComputer, contravariant=True, default=Any
)


class ComputerCreate(Protocol[ComputerT_co]):
    """Makes the computer of a run."""

    def __call__(self, *, run_context: RunContextWrapper[Any]) -> MaybeAwaitable[ComputerT_co]: ...


class ComputerDispose(Protocol[ComputerT_contra]):
    """Disposes of the computer of a run."""

    def __call__(
        self, *, run_context: RunContextWrapper[Any], computer: ComputerT_contra
    ) -> MaybeAwaitable[None]: ...


@dataclass
class ComputerProvider(Generic[ComputerT]):
    """Makes a computer for each run.

    Attributes:
        create: Makes it, before the first model call that may use it; sync or async.
        dispose: Disposes of it when the run ends, fails, is cancelled or waits; sync or async.
    """

    create: ComputerCreate[ComputerT]
    dispose: ComputerDispose[ComputerT] | None = None


class _WithComputer(Protocol):
    """The part of a computer tool that matters here."""

    @property
    def computer(self) -> Any: ...


_OF_THE_RUN = "_computers"
"""The attribute of a run's context that holds its computers, with their ends, by tool."""


def is_computer(value: object) -> bool:
    """Whether an object has the methods of a computer; it need not be a subclass."""
    return hasattr(value, "screenshot")


async def resolve_computer(*, tool: _WithComputer, run_context: RunContextWrapper[Any]) -> Any:
    """Return the computer of a tool in a run; make it first if the tool has a provider.

    Args:
        tool: The computer tool.
        run_context: The context of the run.

    Raises:
        UserError: The provider made something else.
    """
    source = tool.computer
    if is_computer(source):
        return source
    computers = vars(run_context).setdefault(_OF_THE_RUN, {})
    if tool not in computers:
        create = getattr(source, "create", source)
        computer = await resolve(create(run_context=run_context))
        if not is_computer(computer):
            raise UserError(
                f"The provider of a ComputerTool made {type(computer).__name__}, not a computer."
            )
        computers[tool] = (computer, getattr(source, "dispose", None))
    return computers[tool][0]


async def dispose_resolved_computers(*, run_context: RunContextWrapper[Any]) -> None:
    """Dispose of the computers that were made for a run. One that fails is logged.

    Args:
        run_context: The context of the run.
    """
    for computer, dispose in vars(run_context).pop(_OF_THE_RUN, {}).values():
        if dispose is None:
            continue
        try:
            await resolve(dispose(run_context=run_context, computer=computer))
        except Exception as error:  # noqa: BLE001 - user code; the run is over
            log_tool_action_warning(logger, "A computer of a run was not disposed of", error)
