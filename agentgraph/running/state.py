"""The state of a run at rest: its journal, and the decisions and input that came since.

To resume is to replay. The recorded outcomes pass through the machine again, work that has an
outcome is not performed twice, and waiting calls are made or rejected as decided. All states of one
run share its journal: once the run has gone on, each of them returns its outcome.
"""

from __future__ import annotations

import copy
import json
import uuid
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Generic

from typing_extensions import TypeVar

from agentgraph.approvals import ApprovalLedger
from agentgraph.authoring.pydantic_fields import kept_as_is
from agentgraph.drivers.aio import replay
from agentgraph.drivers.journal import MemoryJournal
from agentgraph.drivers.run import make_run
from agentgraph.drivers.workbench import InnerRuns
from agentgraph.exceptions import UserError
from agentgraph.items import ItemHelpers
from agentgraph.items.question_item import Interruption
from agentgraph.program import Program, program_for
from agentgraph.record.facts import RunFacts
from agentgraph.run_context import RunContextWrapper, TContext
from agentgraph.running.context_forms import (
    ContextDeserializer,
    ContextSerializer,
    read_context,
    write_context,
)
from agentgraph.running.decided import Decided
from agentgraph.running.persist import (
    SCHEMA,
    SCHEMA_KEY,
    DamagedState,
    check_version,
    classes_of,
    from_lines,
    head_of,
    machines_of,
    read_journal,
    reading,
    rows_of,
    to_lines,
)
from agentgraph.running.recompile import Recompile
from agentgraph.runtime.step import ProtocolError
from agentgraph.stored.items import decode_input, encode_input
from agentgraph_compiler.machine import StateKind

if TYPE_CHECKING:
    from agentgraph.items import TResponseInputItem
    from agentgraph.workflow import Source

__all__ = ["RunState"]

OVER = frozenset({StateKind.DONE, StateKind.BLOCKED, StateKind.EXHAUSTED})
"""The kinds of rest that are final."""

TAgent = TypeVar("TAgent", default=Any)
"""The type of the agent at work."""


@kept_as_is()
@dataclass
class RunState(Decided[TContext], Generic[TContext, TAgent]):
    """A run at rest; ``Runner.run(agent, state)`` resumes it.

    Attributes:
        context: The run's context, with the usage so far and the decisions.
        original_input: The caller's input.
        current_agent: The agent at work.
        max_turns: The limit of model calls, earlier ones included.
    """

    context: RunContextWrapper[TContext]
    original_input: str | list[TResponseInputItem]
    current_agent: TAgent
    max_turns: int | None
    program: Program = field(repr=False)
    journal: MemoryJournal = field(repr=False)
    facts: RunFacts = field(repr=False)
    _pending_input: tuple[TResponseInputItem, ...] = ()
    _interruptions: list[Interruption] = field(default_factory=list, repr=False)
    _turn: int = 0
    _over: bool = False
    _rows: int = 0
    """The number of journal rows at this state; the journal may grow, and a fork starts here."""
    _called: frozenset[str] = frozenset()
    _read: bool = False

    @property
    def pending_input(self) -> list[TResponseInputItem]:
        """A copy of the input items that the run gets when it resumes."""
        return copy.deepcopy(list(self._pending_input))

    def add_input(self, input: str | list[TResponseInputItem]) -> None:
        """Add input to the run, which the model sees in its next turn.

        Args:
            input: A text of the user, or input items.

        Raises:
            UserError: The run is over, it has no turn left in which the model could see the input,
                or the output of a tool of this turn may end the run.
        """
        if self._over:
            raise UserError("Cannot add input: the run is over. Start a new one.")
        if self.max_turns is not None and self._turn >= self.max_turns:
            raise UserError(
                f"Cannot add input: the run has used all of max_turns={self.max_turns}. Raise"
                " state.max_turns first."
            )
        if self._interruptions and self._may_end_here():
            raise UserError(
                f"Cannot add input: a tool output of agent {_name_of(self.current_agent)!r} in this"
                " turn may end the run (tool_use_behavior). Resume it first, or start a new run."
            )
        added = ItemHelpers.input_to_new_input_list(input)
        self._pending_input += tuple(copy.deepcopy(added))

    def _may_end_here(self) -> bool:
        """Whether the tool outputs of the waiting turn may become the output of the run."""
        behavior = getattr(self.current_agent, "tool_use_behavior", "run_llm_again")
        if not isinstance(behavior, Mapping):
            return bool(behavior != "run_llm_again")
        return not self._called.isdisjoint(behavior.get("stop_at_tool_names", ()))

    def clear_pending_input(self) -> None:
        """Remove the input that the run has not taken yet."""
        self._pending_input = ()

    def to_json(
        self,
        *,
        context_serializer: ContextSerializer | None = None,
        strict_context: bool = False,
        include_tracing_api_key: bool = False,
    ) -> dict[str, Any]:
        """The state as JSON data, which another process can read.

        It holds the words of users and models, so store it where such data belongs. It leaves out
        keys in settings.

        Args:
            context_serializer: Turns the context object into a mapping.
            strict_context: Whether to refuse a context that would come back changed.
            include_tracing_api_key: Accepted as in the SDK; no state holds such a key.

        Returns:
            A dictionary with the key ``$schemaVersion``.

        Raises:
            UserError: A value has no stored form; the message names its place.
        """
        return {
            SCHEMA_KEY: SCHEMA,
            **head_of(self.facts, self.journal),
            "max_turns": self.max_turns,
            "current_agent": _name_of(self.current_agent),
            "context": write_context(
                self.context.context, context_serializer, strict=strict_context
            ),
            "decisions": self.context._approvals.to_json_dict(),
            "pending_input": encode_input(list(self._pending_input)),
            "machines": machines_of(self.journal),
            "rows": rows_of(self.journal),
        }

    def to_string(
        self,
        *,
        context_serializer: ContextSerializer | None = None,
        strict_context: bool = False,
        include_tracing_api_key: bool = False,
    ) -> str:
        """The state as JSON text; see :meth:`to_json`."""
        return json.dumps(
            self.to_json(
                context_serializer=context_serializer,
                strict_context=strict_context,
                include_tracing_api_key=include_tracing_api_key,
            ),
            ensure_ascii=False,
        )

    def to_journal(
        self,
        *,
        context_serializer: ContextSerializer | None = None,
        strict_context: bool = False,
    ) -> str:
        """The state as JSON lines that a person can read and compare; see :meth:`to_json`.

        The first line is a header: the run, its input, its context, and the decisions that the run
        has not used yet. Each other line is a machine or the row of one outcome, oldest first. Two
        states of one run therefore differ only in the header and in rows that one of them lacks.
        """
        return to_lines(
            self.to_json(context_serializer=context_serializer, strict_context=strict_context)
        )

    @staticmethod
    async def from_string(
        initial_agent: Source | Program,
        state_string: str,
        *,
        context_override: object = None,
        context_deserializer: ContextDeserializer | None = None,
        strict_context: bool = False,
    ) -> RunState[Any, Any]:
        """Read a state from the text of :meth:`to_string`; see :meth:`from_json`."""
        try:
            data = json.loads(state_string)
        except ValueError as error:
            raise UserError(f"The stored state is not JSON text: {error}") from error
        return await RunState.from_json(
            initial_agent,
            data,
            context_override=context_override,
            context_deserializer=context_deserializer,
            strict_context=strict_context,
        )

    @staticmethod
    async def from_json(
        initial_agent: Source | Program,
        state_json: Mapping[str, Any],
        *,
        context_override: object = None,
        context_deserializer: ContextDeserializer | None = None,
        strict_context: bool = False,
    ) -> RunState[Any, Any]:
        """Read a state from the data of :meth:`to_json`. Read states from trusted places only.

        Args:
            initial_agent: The agent or workflow that the run started with, as it is now.
            state_json: The stored state.
            context_override: A context to use in place of the stored one.
            context_deserializer: Turns the stored mapping into the context object.
            strict_context: Whether to refuse a context that would come back changed.

        Returns:
            The state; run it with ``Runner.run(agent, state)``.

        Raises:
            UserError: The state has another version or is damaged.
        """
        check_version(state_json)
        with reading("the state"):
            return _restored(
                program_for(initial_agent, whole=True),
                state_json,
                read_context(
                    state_json["context"],
                    context_override,
                    context_deserializer,
                    strict=strict_context,
                ),
            )

    @staticmethod
    async def from_journal(
        initial_agent: Source | Program,
        text: str,
        *,
        context_override: object = None,
        context_deserializer: ContextDeserializer | None = None,
        strict_context: bool = False,
    ) -> RunState[Any, Any]:
        """Read a state from the lines of :meth:`to_journal`; see :meth:`from_json`."""
        return await RunState.from_json(
            initial_agent,
            from_lines(text),
            context_override=context_override,
            context_deserializer=context_deserializer,
            strict_context=strict_context,
        )

    def fork(self) -> RunState[TContext, TAgent]:
        """Copy the run as of this state. The copy continues on its own.

        It repeats the work that follows this state, even if the original run has done that already.
        """
        return RunState(
            context=RunContextWrapper(
                context=self.context.context,
                usage=copy.deepcopy(self.context.usage),
                turn_input=list(self.context.turn_input),
                _approvals=self.context._approvals.copy(),
                tool_input=self.context.tool_input,
            ),
            original_input=self.original_input,
            current_agent=self.current_agent,
            max_turns=self.max_turns,
            program=self.program,
            journal=self.journal.prefix(self._rows),
            facts=self.facts._replace(run_id=uuid.uuid4().hex),
            _pending_input=self._pending_input,
            _interruptions=list(self._interruptions),
            _turn=self._turn,
            _over=self._over,
            _rows=self._rows,
            _called=self._called,
            _read=self._read,
        )


def _name_of(agent: object) -> str | None:
    return getattr(agent, "name", None)


async def _performs_nothing(*work: object) -> Any:
    """Take the place of inner runs in a replay, which performs nothing."""
    raise ProtocolError(f"a replay must perform nothing, but was asked for {work!r}")


def _restored(program: Program, stored: Mapping[str, Any], context: object) -> RunState[Any, Any]:
    """The state of a run, rebuilt from its journal by a replay of the rows."""
    facts, journal = read_journal(
        stored, stored["rows"], stored["machines"], classes_of(program.bindings)
    )
    ledger = ApprovalLedger.from_json_dict(stored["decisions"])
    run = make_run(
        facts,
        (program.machine, program.bindings),
        Recompile(program.source, program.scope),
        journal,
        inner=InnerRuns(_performs_nothing, _performs_nothing),
        context=context,
    )
    try:
        rest = replay(run)
    except ProtocolError as error:
        raise DamagedState(str(error)) from error
    wrapper = RunContextWrapper(context, run.spent(), list(run.bench.context.turn_input), ledger)
    ledger.ask(run.record.waiting)
    return RunState(
        context=wrapper,
        original_input=facts.input,
        current_agent=run.agent,
        max_turns=stored["max_turns"],
        program=program,
        journal=journal,
        facts=facts,
        _pending_input=tuple(
            ItemHelpers.input_to_new_input_list(decode_input(stored["pending_input"]))
        ),
        _interruptions=list(run.record.waiting),
        _turn=run.record.turn,
        _over=rest is not None and rest.kind in OVER,
        _rows=len(journal),
        _called=frozenset(call.name for call in run.record.calls),
        _read=True,
    )
