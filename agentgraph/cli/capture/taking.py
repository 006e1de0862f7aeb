"""Taking one agent or workflow of a file, for the commands that need one."""

from __future__ import annotations

from agentgraph.cli.capture.loading import Loading
from agentgraph.cli.capture.named import named_sources, names_in
from agentgraph.cli.capture.starts import AmbiguousStart, Choice, Start, choose
from agentgraph.cli.faults import CommandFault
from agentgraph.cli.target import Target

__all__ = ["import_fault", "taken"]


def import_fault(loaded: Loading, target: Target) -> CommandFault:
    """Why a file could not be imported."""
    ending = loaded.module_ending()
    if ending.how == "exited":
        return CommandFault(
            f"{target.path} {ending.reason} during its import",
            help='put code for the script alone under `if __name__ == "__main__":`',
        )
    return CommandFault(
        f"{target.path} cannot be imported: {ending.reason}", details=ending.details
    )


def taken(loaded: Loading, target: Target) -> Choice:
    """The agent or workflow that a target stands for.

    Args:
        loaded: The loaded file.
        target: The file, and the name if the user gave one.

    Raises:
        CommandFault: There is none, or nothing says which of several.
    """
    if target.name is not None:
        sources = named_sources(loaded, target, target.name)
        if len(sources) > 1:
            raise CommandFault(
                f"{target} holds {len(sources)} agents", help=f"name one: {target}[...]"
            )
        return Choice(Start(sources[0], target.name, "named"))
    try:
        choice = choose(loaded)
    except AmbiguousStart as error:
        raise CommandFault(
            f"{target.path} has {error}", help=f"name one: {target.path}:{error.labels[0]}"
        ) from error
    if choice is not None:
        return choice
    if not loaded.imported:
        raise import_fault(loaded, target)
    failed = next((one for one in loaded.endings if one.how in ("failed", "exited")), None)
    if failed is not None:
        raise CommandFault(
            f"{target.path} makes no agent: its {failed.entry} ended with {failed.reason}",
            details=failed.details,
        )
    raise CommandFault(
        f"{target.path} has no agent and no workflow",
        help=names_in(loaded) or f"name a function that returns one: {target.path}:make_workflow",
    )
