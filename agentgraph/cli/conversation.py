"""A conversation with a workflow: turns of the user, each a run that is shown as it happens."""

from __future__ import annotations

import contextlib
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

from agentgraph.agent import Agent
from agentgraph.cli.contexts import check_context
from agentgraph.cli.decide import Decided, decide
from agentgraph.cli.faults import CommandFault, OutputClosed, Status
from agentgraph.cli.stored_session import opened_session
from agentgraph.cli.target import Target
from agentgraph.cli.terminal import Terminal, progress
from agentgraph.cli.tool_servers import connected_servers
from agentgraph.cli.tracebacks import own_traceback
from agentgraph.cli.watch import Show, Watch
from agentgraph.cli.workload import Workload
from agentgraph.memory import Session
from agentgraph.program import program_for
from agentgraph.run import Runner
from agentgraph.run_config import DEFAULT_MAX_TURNS
from agentgraph.running.result import RunResultStreaming
from agentgraph.workflow import Workflow

__all__ = ["Conversation", "RunSettings", "conversation"]


@dataclass(frozen=True, slots=True)
class RunSettings:
    """What the options of a command say about its runs.

    Attributes:
        max_turns: The most model calls of a run.
        context: The name, in the file, of the context object or of a function that makes it.
        session: `DB[:ID]` of the session; `None` for none.
        model: The name of the model of every agent; `None` leaves each its own.
        verbose: Whether to show the place of every exception of a tool.
    """

    max_turns: int = DEFAULT_MAX_TURNS
    context: str | None = None
    session: str | None = None
    model: str | None = None
    verbose: bool = False


@dataclass
class Conversation:
    """The runs of one workflow.

    Args:
        terminal: Where to ask for decisions.
        target: What the command line names.
        source: The agent or workflow of it.
        watch: Shows each run.
        asks: Whether a person decides on the calls that wait for approval, and answers questions.
        context: The context object of every run.
        session: The session, which holds the history; `None` for none.
        max_turns: The most model calls of a run.
    """

    terminal: Terminal
    target: Target
    source: Agent[Any] | Workflow
    watch: Watch
    asks: bool
    context: object
    session: Session | None
    max_turns: int

    async def turn(self, message: str) -> Status:
        """Run with a message of the user until the run ends or waits.

        Returns:
            `DONE`; `FOUND` if the run was stopped, failed or waits for a decision.

        Raises:
            CommandFault: The user's own code failed, or the person pressed Ctrl-C at a question.
        """
        return await self.follow_to_rest(
            lambda: Runner.run_streamed(
                self.source,
                message,
                context=self.context,
                session=self.session,
                max_turns=self.max_turns,
            )
        )

    async def follow_to_rest(
        self,
        begin: Callable[[], RunResultStreaming],
        tools: Mapping[str, str] = MappingProxyType({}),
    ) -> Status:
        """Show a run until it ends or waits; a person at the terminal decides on what waits.

        Args:
            begin: Begins the run, or goes on with it.
            tools: The tools of calls that it made before, by the ids of the calls.

        Returns:
            `DONE`; `FOUND` if the run was stopped, failed or waits for a decision.

        Raises:
            CommandFault: The user's own code failed, or the person pressed Ctrl-C at a question.
        """
        self.watch.begin(tools)
        try:
            result, status = await self.follow(begin())
            while result.interruptions and self.asks:
                state = result.to_state()
                decisions = decide(self.terminal, state, result.interruptions)
                if decisions is None:
                    break
                self.note(decisions)
                result, status = await self.follow(
                    Runner.run_streamed(self.source, state, session=self.session)
                )
        except (CommandFault, OutputClosed):
            raise
        except Exception as error:
            raise CommandFault(
                f"the run of {self.target} failed",
                details=own_traceback(error),
                status=Status.FOUND,
            ) from error
        if isinstance(self.source, Agent) and status is Status.DONE:
            self.source = result.last_agent
        return status

    async def follow(self, result: RunResultStreaming) -> tuple[RunResultStreaming, Status]:
        """Show a run until it ends or waits.

        Returns:
            The result at which it rests, and its status.
        """
        return result, await self.watch.follow(result)

    def note(self, decisions: Sequence[Decided]) -> None:
        """Note the decisions on the calls that waited together."""


@contextlib.asynccontextmanager
async def conversation(
    terminal: Terminal,
    workload: Workload,
    settings: RunSettings,
    show: Show,
    *,
    asks: bool,
    make: Callable[..., Conversation] = Conversation,
) -> AsyncIterator[Conversation]:
    """Make ready what the runs of a workflow need, and clear it away again.

    Args:
        terminal: Where to ask for decisions.
        workload: The workflow.
        settings: The options of the command.
        show: Shows each event of a run.
        asks: Whether a person decides on the calls that wait for approval.
        make: Makes the conversation from its parts.

    Raises:
        CommandFault: The workflow is of another library or needs a context; the session cannot be
            opened; an MCP server cannot be connected.
        CompileError: The workflow has errors.
    """
    source = workload.source
    if not isinstance(source, Agent | Workflow):
        raise CommandFault(
            f"{workload.target} was written for another library: it can be checked and drawn, "
            "but not run",
            help="import from `agentgraph` instead of `agents`",
        )
    program = program_for(source)
    if settings.context is None:
        check_context(program.chart, workload.target.path)
    async with contextlib.AsyncExitStack() as stack:
        context = None if settings.context is None else workload.named(settings.context)
        session = None
        if settings.session is not None:
            session = await stack.enter_async_context(opened_session(settings.session))
        with progress(terminal, "connecting"):
            await stack.enter_async_context(connected_servers(program))
        yield make(
            terminal=terminal,
            target=workload.target,
            source=source,
            watch=Watch(show),
            asks=asks,
            context=context,
            session=session,
            max_turns=settings.max_turns,
        )
