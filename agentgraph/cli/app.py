"""The command `agentgraph`: its name, its options, and the modules of its commands.

The group imports the module of a command on its first use, so `agentgraph --version` and
`agentgraph check` load nothing that only `agentgraph run` needs.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator, Mapping
from importlib import import_module
from typing import Annotated, Any, Final, cast

import typer
from typer.core import TyperGroup
from typer.main import get_command

from agentgraph.version import installed_version

__all__ = ["app", "main"]

_COMMANDS: Final = {
    "run": "agentgraph.cli.commands.run",
    "chat": "agentgraph.cli.commands.chat",
    "rehearse": "agentgraph.cli.commands.rehearse",
    "check": "agentgraph.cli.commands.check",
    "draw": "agentgraph.cli.commands.draw",
    "explain": "agentgraph.cli.commands.explain",
    "ir": "agentgraph.cli.commands.ir",
    "mutate": "agentgraph.cli.commands.mutate",
    "export": "agentgraph.cli.commands.export",
    "routes": "agentgraph.cli.commands.routes",
    "testgen": "agentgraph.cli.commands.testgen",
    "runs": "agentgraph.cli.commands.runs",
    "sessions": "agentgraph.cli.sessions",
}


class _Commands(Mapping[str, Any]):
    """The commands by name, in the order of the help, each loaded on its first use.

    Args:
        modules: The module of each command; its `app` is the command.
    """

    def __init__(self, modules: dict[str, str]) -> None:
        self._modules = modules
        self._commands: dict[str, Any] = {}

    def __getitem__(self, name: str) -> Any:
        if name not in self._commands:
            self._commands[name] = get_command(import_module(self._modules[name]).app)
        return self._commands[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._modules)

    def __len__(self) -> int:
        return len(self._modules)


class _Group(TyperGroup):
    """A group that imports a command on its first use."""

    def __init__(self, **attributes: Any) -> None:
        super().__init__(**attributes)
        # Typer only reads them.
        self.commands = cast("dict[str, Any]", _Commands(_COMMANDS))


app = typer.Typer(
    name="agentgraph",
    cls=_Group,
    help="Compile, check, draw and run agent workflows.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
    context_settings={"help_option_names": ["-h", "--help"]},
)


def main() -> None:
    """Run the command line; the entry point of `agentgraph` and `python -m agentgraph`."""
    for stream in (sys.stdout, sys.stderr):
        # If a terminal cannot show a character, print a replacement.
        reconfigure = getattr(stream, "reconfigure", None)
        if reconfigure is not None:
            reconfigure(errors="replace")
    try:
        app()
    except OSError as error:
        if error.filename is not None:
            raise
        # The help or the version cannot be written. A command handles such errors itself; its
        # modules are not loaded here.
        os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
        typer.echo(f"error: the output cannot be written: {error.strerror}", err=True)
        sys.exit(2)


def _print_version(is_set: bool) -> None:
    if is_set:
        typer.echo(f"agentgraph {installed_version()}")
        raise typer.Exit


@app.callback()
def _agentgraph(
    version: Annotated[
        bool,
        typer.Option(
            "--version", help="Print the version and exit.", callback=_print_version, is_eager=True
        ),
    ] = False,
) -> None:
    """Read the options before the command."""
