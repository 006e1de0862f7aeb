"""The payloads of outcomes: data that a store can write and read (docs/design/replay.md, 3).

They name agents, tools and guardrails by symbol, calls by their place in the reply. Objects of the
provider and of user code stay objects until the run is stored.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple

from agentgraph.approvals import CallKey, Ruling
from agentgraph.items.tool_origin import ToolOrigin

if TYPE_CHECKING:
    from agentgraph.items import ModelResponse, TResponseInputItem
    from agentgraph.model_settings import ModelSettings
    from agentgraph.stored.faults import Fault
    from agentgraph.usage import Usage


class Note(NamedTuple):
    """The meaning of one output item of a reply.

    Args:
        kind: The type of the run item that it becomes.
        position: Its place among the output items.
        description: For a call, the tool's description as the model saw it.
        origin: For a call, where the tool comes from.
        title: For a call, the title that an MCP server gives the tool.
    """

    kind: str
    position: int
    description: str | None = None
    origin: ToolOrigin | None = None
    title: str | None = None


class Identity(NamedTuple):
    """The call that a call id names, for the rest of the run.

    Args:
        call_id: The id that the model chose.
        name: The name of the tool.
        content: The arguments as the model wrote them; for an action, a digest of it.
    """

    call_id: str
    name: str
    content: str


class Request(NamedTuple):
    """The request to a model, without the parts that the record holds already.

    Args:
        instructions: The agent's instructions.
        first: The first item of the log that the model was shown.
        last: One past the last item.
        epoch: How many times handoff filters had rewritten the log by then.
        replaced: The input that a ``call_model_input_filter`` returned; ``None`` without one.
        settings: The settings of the call.
        offered: The names of the tools and handoffs that the model could use.
    """

    instructions: str | None
    first: int
    last: int
    epoch: int
    replaced: tuple[TResponseInputItem, ...] | None
    settings: ModelSettings
    offered: tuple[str, ...]


class ModelReply(NamedTuple):
    """A model's reply and what it means.

    Args:
        response: The response of the model, unchanged.
        agent: The agent whose model replied.
        request: The request it answers.
        notes: The meaning of each output item.
        identities: The calls that its call ids name.
        fault: Why the reply cannot be used: a refusal, an invalid output, an unknown name.
        output: The final output; it follows from the response, so it is not stored.
    """

    response: ModelResponse
    agent: str
    request: Request
    notes: tuple[Note, ...] = ()
    identities: tuple[Identity, ...] = ()
    fault: Fault | None = None
    output: object = None


@dataclass(frozen=True, slots=True)
class FailedAttempt:
    """A failed attempt at a model call, which will be repeated.

    Args:
        fault: What failed.
        number: The number of attempts so far, this one included.
        wait: The time until the next attempt, in seconds, with jitter.
        locks: How many of these attempts failed because the stored conversation was locked.
    """

    fault: Fault
    number: int
    wait: float
    locks: int = 0


@dataclass(frozen=True, slots=True)
class Failure:
    """Work that failed.

    Args:
        fault: The exception, as data; the object stands beside the record.
        usage: The usage of the work itself; the rows of nested runs hold theirs.
        screened: The verdicts of a tool's guardrails up to the failure.
    """

    fault: Fault
    usage: Usage | None = None
    screened: Screened | None = None


@dataclass(frozen=True, slots=True)
class ToolVerdict:
    """The verdict of one guardrail of a tool.

    Args:
        place: The place of the guardrail among those of the tool.
        name: The name of the guardrail.
        behavior: The consequence: allow, reject_content with a message, raise_exception.
        info: The guardrail's ``output_info``, for the program.
    """

    place: int
    name: str
    behavior: Mapping[str, Any]
    info: object = None


class Screened(NamedTuple):
    """The verdicts on a call or on its result and, after a rejection, the replacement output.

    Args:
        tool: Symbol of the tool.
        verdicts: In the order in which the guardrails ran.
        output: The replacement output, as the caller sees it.
        raw: The replacement in the provider's form; ``None`` if nothing was rejected.
        about_output: Whether the verdicts judge the result rather than the call.
        custom_data: The data that the program attached to the judged output.
    """

    tool: str
    verdicts: tuple[ToolVerdict, ...]
    output: object = None
    raw: TResponseInputItem | None = None
    about_output: bool = False
    custom_data: Mapping[str, Any] | None = None


class ToolReturn(NamedTuple):
    """The result of a local call.

    Args:
        output: The tool's return value, or the text of its failure function or of a person.
        raw: The output in the provider's form.
        kind: The type of the run item that it becomes.
        custom_data: The data that the program attached to it.
        usage: The usage of the call itself; the rows of a nested run hold its own.
        failed: Whether the tool failed, and the output tells the model that it did.
    """

    output: object
    raw: Any
    kind: str = "tool_call_output_item"
    custom_data: Mapping[str, Any] | None = None
    usage: Usage | None = None
    failed: bool = False


@dataclass(frozen=True, slots=True)
class Question:
    """A call that a person is asked about, or a question of a workflow.

    Args:
        key: The call's own identity.
        tool: The symbol of the tool or of its server, and the tool's qualified name.
        content: The digest of the call's content.
        agent: The agent whose model made the call.
        machine: The machine that holds the agent; empty for that of the outermost run.
        raw: The call in the provider's form; for a question of a workflow, its data.
        name: The tool as the person knows it, or the step.
        namespace: The tool's namespace or server, if it has one.
        origin: Where the tool comes from, if it is a function tool.
        interrupted: Whether the call was at work when its process died.
    """

    key: CallKey
    tool: tuple[str, str]
    content: str
    agent: str
    machine: str
    raw: object
    name: str
    namespace: str | None = None
    origin: ToolOrigin | None = None
    interrupted: bool = False


class Waiting(NamedTuple):
    """A call that waits for a decision, or an agent tool inside which calls wait.

    Args:
        questions: The call itself, or the calls inside.
    """

    questions: tuple[Question, ...]


@dataclass(frozen=True, slots=True)
class Ruled:
    """A call that may be made; the record keeps the ruling of a callback, if one answered."""

    ruling: Ruling | None = None


@dataclass(frozen=True, slots=True)
class Resumed:
    """The continuation of a run at rest.

    Args:
        rulings: The decisions since then, in order, on calls of the run and of nested runs.
        input: Input that the caller added.
        again: Whether failed work is tried again.
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
        raw: The new item in the provider's form.
        more: The other fields of a new item.
    """

    place: int
    kind: str = ""
    agent: str = ""
    raw: Any = None
    more: Mapping[str, Any] | None = None


@dataclass(frozen=True, slots=True)
class Filtered:
    """The conversation as a handoff filter returned it.

    Args:
        history: The input, as text or as items.
        before: The items of earlier turns.
        latest: The items of this turn as the next agent sees them.
    """

    history: str | tuple[TResponseInputItem, ...]
    before: tuple[LogItem, ...]
    latest: tuple[LogItem, ...]


class Transfer(NamedTuple):
    """A handoff that was taken.

    Args:
        source: The agent that handed over.
        target: The agent now at work.
        raw: The answer to the call, in the provider's form.
        ignored: The answers to the other handoffs of the reply.
        filtered: The conversation that a filter returned; ``None`` without a filter.
    """

    source: str
    target: str
    raw: TResponseInputItem
    ignored: tuple[Any, ...] = ()
    filtered: Filtered | None = None


class GuardrailVerdict(NamedTuple):
    """The verdict of a guardrail of an agent or of the run.

    Args:
        symbol: The guardrail.
        agent: The agent at work.
        tripped: Whether the run must stop.
        info: The guardrail's ``output_info``, for the program.
        about_output: Whether it judged an output rather than the input.
        judged: The output it judged.
    """

    symbol: str
    agent: str
    tripped: bool
    info: object = None
    about_output: bool = False
    judged: object = None


class SavedTurn(NamedTuple):
    """The result of one write to the session.

    Args:
        written: The run's items that it wrote, as ordinals of production.
        items: Their forms in the session.
        block: The block in which the store keeps the run.
        anew: Whether ``items`` also holds everything that earlier writes stored.
    """

    written: tuple[int, ...]
    items: tuple[TResponseInputItem, ...]
    block: object = None
    anew: bool = False


@dataclass(frozen=True, slots=True)
class Loaded:
    """The content of a session when the run begins.

    Args:
        shown: The items that the model sees first.
        saved: The part of the run that the session holds already.
    """

    shown: tuple[TResponseInputItem, ...]
    saved: SavedTurn


@dataclass(frozen=True, slots=True)
class Migrated:
    """A newly compiled machine replaces the one at work.

    Args:
        before: Fingerprint of the old machine.
        after: Fingerprint of the new one.
        agents: The ids of agents in the new machine, by their ids in the old one.
        facts: What holds for the run from now on: limit, session, hooks.
    """

    before: str
    after: str
    agents: Mapping[str, str]
    facts: tuple[int | None, bool, bool]
