"""What outcomes bring: data only, so that it can be stored and read back (docs/design/replay.md,
section 3).

Agents, tools, guardrails and servers are named by symbol, calls by their place in the reply. The
objects of the provider's API stay objects in memory; they are dumped when a store asks. Values of
user code (tool outputs, verdict infos) stay what they are until then.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple

from agentgraph.approvals import CallKey, Ruling

if TYPE_CHECKING:
    from agentgraph.items import ModelResponse, TResponseInputItem
    from agentgraph.stored.faults import Fault
    from agentgraph.usage import Usage


class Note(NamedTuple):
    """How one output item of a reply reads.

    Args:
        kind: The type of the run item that it becomes.
        position: Its place among the output items.
        description: What the model was told about the tool that it calls, if it calls one.
    """

    kind: str
    position: int
    description: str | None = None


class Identity(NamedTuple):
    """What a call id stands for, for the rest of the run.

    Args:
        call_id: The id that the model chose.
        name: What is called.
        content: The arguments as the model wrote them; of an action, a digest of it.
    """

    call_id: str
    name: str
    content: str


class Request(NamedTuple):
    """What a model was asked, as far as the record does not hold it already.

    Args:
        instructions: The agent's instructions.
        first: The first item of the log that the model was shown.
        last: One past the last.
        epoch: How often a handoff filter had rewritten the log by then.
        replaced: What a ``call_model_input_filter`` made of the input; ``None`` without one.
        settings: The settings of the call.
        offered: The names of the tools and handoffs on offer.
    """

    instructions: str | None
    first: int
    last: int
    epoch: int
    replaced: tuple[TResponseInputItem, ...] | None
    settings: Any
    offered: tuple[str, ...]


class ModelReply(NamedTuple):
    """A model's reply and its reading.

    Args:
        response: As the model gave it.
        agent: The agent whose model it is.
        request: What the model was asked.
        notes: How each item of it reads.
        identities: What the ids of its calls stand for.
        fault: Why the reply cannot be used: a refusal, an invalid output, an unknown name.
        output: The final output, where the reply is final; it follows from the response and the
            agent's output type, so it is not stored.
    """

    response: ModelResponse
    agent: str
    request: Request
    notes: tuple[Note, ...] = ()
    identities: tuple[Identity, ...] = ()
    fault: Fault | None = None
    output: Any = None


@dataclass(frozen=True, slots=True)
class FailedAttempt:
    """An attempt at a model call that is made again.

    Args:
        fault: What failed.
        number: How many attempts were made, this one included.
        wait: The time until the next one, in seconds; jitter is drawn already.
    """

    fault: Fault
    number: int
    wait: float


@dataclass(frozen=True, slots=True)
class Failure:
    """Work that failed.

    Args:
        fault: What was raised, as data; the exception itself stands beside the record.
        usage: What the work has spent besides; the rows of runs inside tell what these have.
        screened: What the guardrails of a tool had said by then.
    """

    fault: Fault
    usage: Usage | None = None
    screened: Screened | None = None


@dataclass(frozen=True, slots=True)
class ToolVerdict:
    """What one guardrail of a tool said.

    Args:
        place: The place of the guardrail among those of the tool.
        name: The name of the guardrail.
        behavior: What follows: allow, reject_content with a message, raise_exception.
        info: What the guardrail tells the program.
    """

    place: int
    name: str
    behavior: Mapping[str, Any]
    info: Any = None


class Screened(NamedTuple):
    """The verdicts on a call or on its result; with a rejection, what stands in for the output.

    Args:
        tool: Symbol of the tool.
        verdicts: In the order in which the guardrails ran.
        output: What the model is told instead, as the caller sees it.
        raw: The same as the provider is sent it; ``None`` if nothing was rejected.
        about_output: Whether the result was judged rather than the call.
        custom_data: What the program attached to the judged output.
    """

    tool: str
    verdicts: tuple[ToolVerdict, ...]
    output: Any = None
    raw: Any = None
    about_output: bool = False
    custom_data: Mapping[str, Any] | None = None


class ToolReturn(NamedTuple):
    """What a local call gave.

    Args:
        output: What the tool returned, or what its failure function or a person said instead.
        raw: The output as the provider is sent it.
        kind: The type of the run item that it becomes.
        custom_data: What the program attached to it.
        usage: What the call has spent; the rows of a run inside tell what that has.
    """

    output: Any
    raw: Any
    kind: str = "tool_call_output_item"
    custom_data: Mapping[str, Any] | None = None
    usage: Usage | None = None


@dataclass(frozen=True, slots=True)
class Question:
    """A call that a person is asked about.

    Args:
        key: The call's own identity.
        tool: The symbol of the tool, or of the server that has it, and its qualified name.
        content: The digest of what the call asks for.
        agent: The agent whose model made the call.
        machine: The machine in which the agent stands; empty for that of the outermost run.
        raw: The call as the provider sent it.
        name: The tool as the person knows it.
        namespace: The tool's namespace or server, if it has one.
    """

    key: CallKey
    tool: tuple[str, str]
    content: str
    agent: str
    machine: str
    raw: Any
    name: str
    namespace: str | None = None


class Waiting(NamedTuple):
    """A call that waits for a decision, or an agent tool inside which calls wait.

    Args:
        questions: The call itself, or the calls inside.
    """

    questions: tuple[Question, ...]


@dataclass(frozen=True, slots=True)
class Ruled:
    """A call that may be made.

    Args:
        ruling: The answer of a callback, where it was not a person's; the record keeps it.
    """

    ruling: Ruling | None = None


@dataclass(frozen=True, slots=True)
class Resumed:
    """The way on from a rest.

    Args:
        rulings: What was decided since, in order: about calls of the run and of the runs inside it.
        input: Input that was added.
        again: Whether what failed is tried again.
    """

    rulings: tuple[Ruling, ...] = ()
    input: tuple[TResponseInputItem, ...] = ()
    again: bool = True


class LogItem(NamedTuple):
    """An item of the conversation after a handoff filter: one of the run's own, or a new one.

    Args:
        place: Its place in the run's log; -1 for one that the filter made.
        kind: The type of a new item.
        agent: The agent of a new item.
        raw: The new item as the provider speaks it.
        more: The other fields of a new item.
    """

    place: int
    kind: str = ""
    agent: str = ""
    raw: Any = None
    more: Mapping[str, Any] | None = None


@dataclass(frozen=True, slots=True)
class Filtered:
    """What a handoff filter left of the conversation.

    Args:
        history: The input, as text or as items.
        before: The items of earlier turns.
        latest: The items of this turn as the next agent sees them.
    """

    history: str | tuple[TResponseInputItem, ...]
    before: tuple[LogItem, ...]
    latest: tuple[LogItem, ...]


@dataclass(frozen=True, slots=True)
class Transfer:
    """A handoff taken.

    Args:
        source: The agent that handed over.
        target: The agent now at work.
        raw: The answer to the call, as the provider is sent it.
        ignored: The answers to the other handoffs of the reply.
        filtered: What a filter left of the conversation; ``None`` without one.
    """

    source: str
    target: str
    raw: Any
    ignored: tuple[Any, ...] = ()
    filtered: Filtered | None = None


class GuardrailVerdict(NamedTuple):
    """What a guardrail of an agent or of the run said.

    Args:
        symbol: The guardrail.
        agent: The agent at work.
        tripped: Whether the run is to stop.
        info: What the guardrail tells the program.
        about_output: Whether it judged an output rather than the input.
        judged: The output that it judged.
    """

    symbol: str
    agent: str
    tripped: bool
    info: Any = None
    about_output: bool = False
    judged: Any = None


@dataclass(frozen=True, slots=True)
class FinalOutput:
    """A final output that a callable decided on.

    Args:
        output: The output.
        message: The message that stands for it in the history; ``None`` for none.
    """

    output: Any
    message: Any = None


class SavedTurn(NamedTuple):
    """What a write has added to the session.

    Args:
        written: The run's items that are written, as ordinals of production.
        items: The forms in which they stand in the session.
        block: Where the store has everything of the run.
        anew: Whether everything that was written before stands in ``items`` again.
    """

    written: tuple[int, ...]
    items: tuple[TResponseInputItem, ...]
    block: Any = None
    anew: bool = False


@dataclass(frozen=True, slots=True)
class Loaded:
    """What a session gave.

    Args:
        shown: What the model is shown first.
        saved: What the session has of the run already.
    """

    shown: tuple[TResponseInputItem, ...]
    saved: SavedTurn


@dataclass(frozen=True, slots=True)
class Migrated:
    """A machine compiled anew takes the place of the one at work.

    Args:
        before: Fingerprint of the machine that is left.
        after: Fingerprint of the one that goes on.
        agents: What the agents of the first are in the second, by id.
        facts: What holds for the run from now on: limit, session, hooks.
    """

    before: str
    after: str
    agents: Mapping[str, str]
    facts: tuple[int | None, bool, bool]


def spent_in(payload: object) -> Usage | None:
    """What an outcome says was spent.

    Args:
        payload: What the outcome brought.
    """
    if isinstance(payload, ModelReply):
        return payload.response.usage
    return payload.usage if isinstance(payload, ToolReturn | Failure) else None
