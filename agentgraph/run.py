"""``Runner``, which runs a workflow.

``run``, ``run_sync`` and ``run_streamed`` make the same run; only the last passes its events on.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal

from typing_extensions import Unpack

from agentgraph.run_config import (
    DEFAULT_MAX_TURNS,
    CallModelData,
    CallModelInputFilter,
    DurableOptions,
    ModelInputData,
    OutputGuardrailBlockedMessageArgs,
    OutputGuardrailBlockedMessageFormatter,
    ReasoningItemIdPolicy,
    RunConfig,
    RunOptions,
    ToolErrorFormatter,
    ToolErrorFormatterArgs,
    ToolExecutionConfig,
    ToolNameCollisionPolicy,
    ToolNotFoundBehavior,
)
from agentgraph.run_context import RunContextWrapper, TContext
from agentgraph.running.agent_runner import (
    AgentRunner,
    every_model_is,
    get_default_agent_runner,
    set_default_agent_runner,
)
from agentgraph.running.moves import Moved, RunMoves, observing_runs
from agentgraph.running.result import RunResult, RunResultStreaming
from agentgraph.running.state import RunState
from agentgraph.running.stored_runs import begin_run, fork_run, head_of_run

if TYPE_CHECKING:
    from agentgraph.items import TResponseInputItem
    from agentgraph.lifecycle import RunHooks
    from agentgraph.memory.journals.store import JournalStore
    from agentgraph.memory.session import Session
    from agentgraph.run_error_handlers import RunErrorHandlers
    from agentgraph.running.agent_runner import RunInput, Runnable

__all__ = [
    "DEFAULT_MAX_TURNS",
    "AgentRunner",
    "CallModelData",
    "CallModelInputFilter",
    "DurableOptions",
    "ModelInputData",
    "Moved",
    "OutputGuardrailBlockedMessageArgs",
    "OutputGuardrailBlockedMessageFormatter",
    "ReasoningItemIdPolicy",
    "RunConfig",
    "RunContextWrapper",
    "RunMoves",
    "RunOptions",
    "RunState",
    "Runner",
    "TContext",
    "ToolErrorFormatter",
    "ToolErrorFormatterArgs",
    "ToolExecutionConfig",
    "ToolNameCollisionPolicy",
    "ToolNotFoundBehavior",
    "every_model_is",
    "get_default_agent_runner",
    "observing_runs",
    "set_default_agent_runner",
]


class Runner:
    """Runs a workflow: compiles it, checks it, and follows the machine until it finishes."""

    @classmethod
    async def run(
        cls,
        starting_agent: Runnable[TContext],
        input: RunInput[TContext],
        *,
        context: TContext | None = None,
        max_turns: int | None = DEFAULT_MAX_TURNS,
        hooks: RunHooks[TContext] | None = None,
        run_config: RunConfig | dict[str, Any] | None = None,
        error_handlers: RunErrorHandlers[TContext] | None = None,
        previous_response_id: str | None = None,
        auto_previous_response_id: bool = False,
        conversation_id: str | None = None,
        session: Session | None = None,
        **durable: Unpack[DurableOptions],
    ) -> RunResult:
        """Run a workflow to its end.

        Args:
            starting_agent: The agent to start with, or a ``Workflow`` or compiled ``Program``.
            input: A text, a list of input items (or texts of the user), or a state to resume.
            context: The object for tools, guardrails and hooks; the model never sees it. If it is
                the context of another run, such as a tool receives, this run uses the object in
                it, and this run's usage also counts into its usage.
            max_turns: The most model calls; ``None`` means no limit.
            hooks: Called when something happens in the run.
            run_config: The configuration of the whole run.
            error_handlers: Turn failures (``max_turns``, ``model_refusal``,
                ``invalid_final_output``) into final outputs.
            previous_response_id: The stored response to continue from; only new items are sent.
            auto_previous_response_id: Whether each call continues from the response before it.
            conversation_id: The conversation that the server stores.
            session: Stores the conversation between runs.
            durable: A `journal` lets the run survive its process; `DurableOptions` has the others.

        Returns:
            The result. Its ``interruptions`` lists the calls that wait for approval.

        Raises:
            CompileError: The workflow has errors; no model was called.
            MaxTurnsExceeded: The run used up its turns.
            InputGuardrailTripwireTriggered: An input guardrail stopped the run.
            OutputGuardrailTripwireTriggered: An output guardrail stopped the run.
            ModelBehaviorError: The model's reply cannot be used.
            UserError: The program uses the library in a way that cannot work.
        """
        return await get_default_agent_runner().run(
            starting_agent,
            input,
            context=context,
            max_turns=max_turns,
            hooks=hooks,
            run_config=run_config,
            error_handlers=error_handlers,
            previous_response_id=previous_response_id,
            auto_previous_response_id=auto_previous_response_id,
            conversation_id=conversation_id,
            session=session,
            **durable,
        )

    @classmethod
    def run_sync(
        cls,
        starting_agent: Runnable[TContext],
        input: RunInput[TContext],
        *,
        context: TContext | None = None,
        max_turns: int | None = DEFAULT_MAX_TURNS,
        hooks: RunHooks[TContext] | None = None,
        run_config: RunConfig | dict[str, Any] | None = None,
        error_handlers: RunErrorHandlers[TContext] | None = None,
        previous_response_id: str | None = None,
        auto_previous_response_id: bool = False,
        conversation_id: str | None = None,
        session: Session | None = None,
        **durable: Unpack[DurableOptions],
    ) -> RunResult:
        """Run a workflow to its end from sync code; see :meth:`run`.

        Raises:
            RuntimeError: An event loop is running in this thread; use ``await Runner.run(...)``
                instead.
        """
        return get_default_agent_runner().run_sync(
            starting_agent,
            input,
            context=context,
            max_turns=max_turns,
            hooks=hooks,
            run_config=run_config,
            error_handlers=error_handlers,
            previous_response_id=previous_response_id,
            auto_previous_response_id=auto_previous_response_id,
            conversation_id=conversation_id,
            session=session,
            **durable,
        )

    @classmethod
    def run_streamed(
        cls,
        starting_agent: Runnable[TContext],
        input: RunInput[TContext],
        context: TContext | None = None,
        max_turns: int | None = DEFAULT_MAX_TURNS,
        hooks: RunHooks[TContext] | None = None,
        run_config: RunConfig | dict[str, Any] | None = None,
        previous_response_id: str | None = None,
        auto_previous_response_id: bool = False,
        conversation_id: str | None = None,
        session: Session | None = None,
        *,
        error_handlers: RunErrorHandlers[TContext] | None = None,
        **durable: Unpack[DurableOptions],
    ) -> RunResultStreaming:
        """Begin a run in the background and return its live result at once; see :meth:`run`.

        Consume ``result.stream_events()`` to follow the run. The run finishes even if the program
        consumes no events.

        Raises:
            CompileError: The workflow has errors; no model was called.
        """
        return get_default_agent_runner().run_streamed(
            starting_agent,
            input,
            context=context,
            max_turns=max_turns,
            hooks=hooks,
            run_config=run_config,
            error_handlers=error_handlers,
            previous_response_id=previous_response_id,
            auto_previous_response_id=auto_previous_response_id,
            conversation_id=conversation_id,
            session=session,
            **durable,
        )

    @staticmethod
    async def begin(
        run_id: str,
        input: str | list[TResponseInputItem],
        *,
        journal: JournalStore,
        max_turns: int | None = DEFAULT_MAX_TURNS,
    ) -> None:
        """Store a durable run without working on it; `resume` does that, in any process.

        Args:
            run_id: The id of the run. If there is such a run with this input, nothing happens.
            input: A text, or a list of input items.
            journal: The journal that gets the run.
            max_turns: The most model calls; ``None`` means no limit.

        Raises:
            UserError: There is such a run with another input.
        """
        await begin_run(journal, run_id, input, max_turns)

    @classmethod
    async def resume(
        cls,
        run_id: str,
        starting_agent: Runnable[TContext],
        *,
        journal: JournalStore,
        context: TContext | None = None,
        hooks: RunHooks[TContext] | None = None,
        run_config: RunConfig | dict[str, Any] | None = None,
        error_handlers: RunErrorHandlers[TContext] | None = None,
        session: Session | None = None,
        if_running: Literal["wait", "raise"] = "wait",
    ) -> RunResult:
        """Go on with a durable run, or give its result again if it is over.

        Its input, its limit of turns and its conversation come from the journal.

        Args:
            run_id: The run.
            starting_agent: The agent or workflow that the run started with, as it is now.
            journal: The journal that holds the run.
            context: See :meth:`run`; a journal does not store it.
            hooks: See :meth:`run`.
            run_config: See :meth:`run`.
            error_handlers: See :meth:`run`.
            session: See :meth:`run`.
            if_running: Whether to wait for the run if it is alive in another place, or to raise.

        Raises:
            UnknownRun: The journal has no such run.
            Exception: See :meth:`run`.
        """
        head = await head_of_run(journal, run_id)
        return await get_default_agent_runner().run(
            starting_agent,
            head.input,
            max_turns=head.limit,
            conversation_id=head.conversation.conversation_id,
            previous_response_id=head.conversation.previous_response_id,
            auto_previous_response_id=head.conversation.chained,
            context=context,
            hooks=hooks,
            run_config=run_config,
            error_handlers=error_handlers,
            session=session,
            journal=journal,
            run_id=run_id,
            if_running=if_running,
        )

    @staticmethod
    async def fork(
        run_id: str,
        *,
        journal: JournalStore,
        at: int | None = None,
        new_run_id: str | None = None,
    ) -> str:
        """Begin a new run with the first outcomes of a durable one; `resume` goes on with it.

        Args:
            run_id: The durable run, which stays as it is.
            journal: The journal of both.
            at: How many outcomes the new run has; all if left out. `agentgraph runs show` counts
                them.
            new_run_id: The id of the new run; a new one if left out.

        Returns:
            The id of the new run.

        Raises:
            UnknownRun: The journal has no such run.
            UserError: There is no such point, a call was at work there, or the new id is taken.
        """
        return await fork_run(journal, run_id, at, new_run_id)
