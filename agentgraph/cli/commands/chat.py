"""`agentgraph chat`."""

from __future__ import annotations

from agentgraph.cli.chat import chat_with_file
from agentgraph.cli.commands.options import (
    Context,
    MaxTurns,
    ModelName,
    Session,
    Target,
    Verbose,
    command_app,
)
from agentgraph.cli.conversation import RunSettings
from agentgraph.cli.ending import end
from agentgraph.run_config import DEFAULT_MAX_TURNS

__all__ = ["app"]

app = command_app()


@app.command()
def chat(
    target: Target,
    max_turns: MaxTurns = DEFAULT_MAX_TURNS,
    context: Context = None,
    session: Session = None,
    model: ModelName = None,
    verbose: Verbose = False,
) -> None:
    """Hold a conversation with a workflow. Ctrl-C stops a turn and keeps the history."""
    settings = RunSettings(
        max_turns=max_turns, context=context, session=session, model=model, verbose=verbose
    )
    end(lambda terminal: chat_with_file(terminal, target, settings))
