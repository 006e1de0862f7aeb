"""The options of commands that load a file within limits."""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable
from typing import Annotated, Final

import typer

from agentgraph.cli.capture.child import Limits

__all__ = ["loads_a_file"]

_AllowNetwork = Annotated[
    bool,
    typer.Option(
        "--allow-network",
        help="Let the file open connections and start processes while it is loaded.",
    ),
]
_LoadTimeout = Annotated[
    float,
    typer.Option(
        "--load-timeout", min=0.1, help="Seconds after which the loading of a file is stopped."
    ),
]
_LoadMemory = Annotated[
    int,
    typer.Option("--load-memory", min=64, help="Megabytes that a file may use while it is loaded."),
]
_OPTIONS: Final[dict[str, tuple[object, object]]] = {
    "allow_network": (_AllowNetwork, False),
    "load_timeout": (_LoadTimeout, 20.0),
    "load_memory": (_LoadMemory, 4096),
}


def loads_a_file(command: Callable[..., None]) -> Callable[..., None]:
    """Give a command the options that limit the loading of a file, as the last of its options.

    Args:
        command: The command; it gets the limits as its argument `limits`.
    """

    @functools.wraps(command)
    def with_options(
        *arguments: object,
        allow_network: bool,
        load_timeout: float,
        load_memory: int,
        **options: object,
    ) -> None:
        command(*arguments, limits=Limits(load_timeout, load_memory, allow_network), **options)

    # typer reads the options from the signature.
    signature = inspect.signature(command, eval_str=True)
    own = [one for name, one in signature.parameters.items() if name != "limits"]
    more = [
        inspect.Parameter(name, inspect.Parameter.KEYWORD_ONLY, default=default, annotation=kind)
        for name, (kind, default) in _OPTIONS.items()
    ]
    with_options.__signature__ = signature.replace(parameters=[*own, *more])  # type: ignore[attr-defined]
    return with_options
