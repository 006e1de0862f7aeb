"""Calling a model: greeting the agent, preparing the call, making it, and reading the reply."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Final, NamedTuple, cast

from agentgraph.drivers.reading.classify import classify
from agentgraph.drivers.reading.offer import Offer
from agentgraph.drivers.work.copies import copy_of, mutable_names, settings_copy
from agentgraph.drivers.work.guard import check_outputs_can_be_withheld
from agentgraph.drivers.work.hooks import call_hooks, context_of, overridden
from agentgraph.drivers.work.offer import offer_of
from agentgraph.drivers.work.retries import Attempt, counted, delay_after, delay_after_lock
from agentgraph.drivers.workbench import Workbench
from agentgraph.exceptions import ModelTimeoutError, UserError
from agentgraph.frontend.bindings import AgentBinding
from agentgraph.items import ModelResponse
from agentgraph.memory.transcripts.automaton import without_id
from agentgraph.memory.transcripts.repeats import without_repeats
from agentgraph.model_settings import ModelSettings, settings_of_call
from agentgraph.models.default_models import get_default_model
from agentgraph.models.gate.reply import sound_reply
from agentgraph.models.gate.server import with_agent
from agentgraph.models.interface import Model, ModelTracing
from agentgraph.models.streamed_response import StreamedResponse
from agentgraph.record.payloads import FailedAttempt, Request
from agentgraph.retry import ModelRetryAdviceRequest
from agentgraph.run_config import CallModelData, ModelInputData
from agentgraph.runtime.commands import Perform
from agentgraph.runtime.outcomes import Outcome
from agentgraph.runtime.state import new
from agentgraph.stored.faults import fault_of
from agentgraph.stream_events import RawResponsesStreamEvent
from agentgraph.tools.computers import is_computer, resolve_computer
from agentgraph.tools.hosted import ComputerTool
from agentgraph.user_code.callbacks import resolve
from agentgraph.user_code.cancellation import take_back, was_cancelled
from agentgraph_compiler.machine import MISSING_TOOL, Event, StateKind

if TYPE_CHECKING:
    from agentgraph.agent import Agent
    from agentgraph.items import TResponseInputItem

_REPLIED = Event.REPLIED
_NO_SETTINGS: Final = ModelSettings()
_UNSET: Final = vars(_NO_SETTINGS)
_NAMED = ("previous_response_id", "conversation_id", "prompt")


class PreparedCall(NamedTuple):
    """A model call, the same in every attempt.

    Args:
        model: The model.
        arguments: The arguments of the call.
        offer: The tools and handoffs that the model may use.
        request: The request as it is recorded.
    """

    model: Model
    arguments: dict[str, Any]
    offer: Offer
    request: Request


async def greet(bench: Workbench, command: Perform) -> Outcome:
    """Call the hooks on the start of an agent."""
    agent = bench.agent(command)
    if bench.hooked(agent):
        context = context_of(bench)
        await call_hooks(bench, agent, ("on_agent_start", "on_start"), agent, context=context)
    return Outcome(command.id, Event.DONE)


async def think(bench: Workbench, command: Perform) -> Outcome:
    """Make one attempt at a model call.

    Raises:
        AgentsException: The model's reply or a result of the caller's code is unusable.
    """
    caches, view = bench.caches, bench.view
    binding, attempts = caches.bindings.agents[command.agent], view.attempts
    agent = binding.agent
    # A repeated attempt uses the call of the first one, and a traced run has prepared its call; a
    # new process must prepare it again.
    prepared = caches.pending
    if prepared is None:
        prepared = await prepare(bench, binding)
    caches.pending = None
    attempt = Attempt(caches.watcher.streamed)
    for meter in caches.meters:
        await meter.admit()
    model, arguments = prepared.model, prepared.arguments
    limit = arguments["model_settings"].timeout
    try:
        if attempt.streamed:
            call: Awaitable[ModelResponse] = _stream(bench, model, arguments, attempt)
        else:
            call = model.get_response(**arguments)
        response = await (call if limit is None else _in_time(call, limit, attempt))
    except Exception as error:
        with_agent(error, agent.name)
        retry = await _retry(bench, command, prepared, attempt, error)
        if retry is None:
            raise
        caches.pending = prepared
        return retry
    response = sound_reply(response, agent.name, model)
    if attempts:
        response = counted(response, attempts)
    reply, payload, fault = classify(
        response,
        binding.id,
        agent,
        prepared.offer,
        prepared.request,
        view.identities,
        _missing_tool(bench, binding.id),
    )
    if fault is not None:
        caches.errors[command.id] = fault
    return new(Outcome, (command.id, _REPLIED, payload, reply))


async def wait(bench: Workbench, command: Perform) -> Outcome:
    """Wait before the next attempt at a model call."""
    attempt: FailedAttempt = bench.view.payload(command.source)
    await asyncio.sleep(attempt.wait)
    return Outcome(command.id, Event.DONE)


async def tell_reply(bench: Workbench, command: Perform) -> Outcome:
    """Call the hooks on a reply of the model."""
    agent = bench.agent(command)
    if bench.hooked(agent):
        response = bench.view.payload(command.source).response
        await call_hooks(bench, agent, "on_llm_end", agent, response)
    return Outcome(command.id, Event.DONE)


async def prepare(bench: Workbench, binding: AgentBinding) -> PreparedCall:
    """Prepare a model call: its model, its arguments and its request.

    Args:
        bench: The run.
        binding: The agent at work.

    Raises:
        AgentsException: A result of the caller's code is unusable.
    """
    agent, config, view = binding.agent, bench.facts.config, bench.view
    ids = view.conversation
    check_outputs_can_be_withheld(agent, config, ids)
    offer = binding.memo.get("offer")
    if offer is None:
        offer = await offer_of(binding, bench, config.tool_name_collision_policy)
    # Called in every turn, on the agent: a subclass may override it.
    instructions = await agent.get_system_prompt(bench.context)
    input, part = view.model_input()
    replaced = None
    if config.reasoning_item_id_policy == "omit":
        input = [without_reasoning_id(item) for item in input]
    if config.call_model_input_filter is not None:
        data = ModelInputData(copy_of(list(input)), instructions)
        filtered = await _filter_input(bench, agent, data)
        input, instructions = without_repeats(filtered.input), filtered.instructions
        replaced = tuple(copy_of(input))  # the filter may still hold the items
    hooked = bench.hooked(agent)
    if hooked and not view.attempts and overridden(bench, agent, "on_llm_start"):
        await call_hooks(bench, agent, "on_llm_start", agent, instructions, copy_of(list(input)))
    # The model of the run, else of the agent: a model, a name, or `None` for the default.
    configured = agent.model if config.model is None else config.model
    model = _model(bench, binding, configured)
    prompt = await agent.get_prompt(bench.context)
    dynamic = instructions is not agent.instructions or prompt is not None
    user_code_ran = dynamic or hooked or replaced is not None
    if user_code_ran:
        take_back()
    settings, mutable = _settings(bench, binding, configured, user_code_ran)
    tools = offer.tools.copy()
    if "computer_call" in offer.actions:
        tools = await _with_computers(bench, tools)
    # A model may be user code: it gets lists and settings of its own, and shares only the items.
    arguments: dict[str, Any] = {
        "system_instructions": instructions,
        "input": input,
        "model_settings": settings_copy(settings, mutable),
        "tools": tools,
        "output_schema": offer.schema,
        "handoffs": offer.handoffs.copy(),
        "tracing": ModelTracing.DISABLED,
        "previous_response_id": ids.previous_response_id,
        "conversation_id": ids.conversation_id,
        "prompt": prompt,
    }
    request = (instructions, *part, replaced, settings, offer.names)
    return new(PreparedCall, (model, arguments, offer, new(Request, request)))


async def _with_computers(bench: Workbench, tools: list[Any]) -> list[Any]:
    """The tools, with the computers of this run in place of their providers."""
    for place, tool in enumerate(tools):
        if isinstance(tool, ComputerTool) and not is_computer(tool.computer):
            made = await resolve_computer(tool=tool, run_context=bench.context)
            tools[place] = replace(tool, computer=made)
    return tools


async def _retry(
    bench: Workbench, command: Perform, prepared: PreparedCall, attempt: Attempt, error: Exception
) -> Outcome | None:
    """The outcome of a failed attempt that is repeated; ``None`` if it was the last attempt."""
    view, settings = bench.view, prepared.request.settings.retry
    number, locks, ids = view.attempts + 1, view.locks, view.conversation
    if attempt.seen or number > command.invoke.tries:
        return None
    delay = delay_after_lock(settings, error, locks)
    if delay is not None:
        locks += 1
    elif settings is not None:
        failure = ModelRetryAdviceRequest(
            error=error,
            attempt=number - locks,
            stream=attempt.streamed,
            previous_response_id=ids.previous_response_id,
            conversation_id=ids.conversation_id,
        )
        delay = await delay_after(prepared.model, settings, failure)
    if delay is None:
        return None
    bench.caches.errors[command.id] = error
    return Outcome(command.id, Event.RETRY, FailedAttempt(fault_of(error), number, delay, locks))


def _missing_tool(bench: Workbench, agent_id: str) -> str | None:
    """The symbol that answers calls of tools that the agent does not have; ``None`` if such a call
    is a fault."""
    if bench.facts.config.tool_not_found_behavior == "raise_error":
        return None
    symbol = f"{agent_id}/{MISSING_TOOL}"
    # A resumed run may need it in a machine that was compiled without it.
    acting = bench.caches.machine.state.get(f"{agent_id}.{StateKind.ACTING.value}")
    return symbol if acting is not None and symbol in acting.offered else None


def without_reasoning_id(item: TResponseInputItem) -> TResponseInputItem:
    """An input item for a server that stores no reasoning: reasoning without its id
    (``RunConfig.reasoning_item_id_policy``)."""
    if item.get("type") != "reasoning":
        return item
    return without_id(item)


async def _filter_input(
    bench: Workbench, agent: Agent[Any], input: ModelInputData
) -> ModelInputData:
    filter_input = bench.facts.config.call_model_input_filter
    assert filter_input is not None
    changed = await resolve(filter_input(CallModelData(input, agent, bench.context.context)))
    if not isinstance(changed, ModelInputData):
        raise UserError(
            f"call_model_input_filter must return ModelInputData, got {type(changed).__name__}"
        )
    return changed


async def _in_time(call: Awaitable[ModelResponse], limit: float, attempt: Attempt) -> ModelResponse:
    """Await a call for at most ``limit`` seconds, the time limit of the settings."""
    timer = attempt.timer = asyncio.timeout(limit)
    try:
        async with timer:
            return await call
    except (TimeoutError, asyncio.CancelledError) as error:
        # A client may raise the same exception as our own deadline. On Python 3.11 and 3.12 a task
        # group that failed in the client keeps the deadline from raising TimeoutError.
        if not timer.expired() or (
            isinstance(error, asyncio.CancelledError) and await was_cancelled()
        ):
            raise
        raise ModelTimeoutError(limit) from error


async def _stream(
    bench: Workbench, model: Model, arguments: dict[str, Any], attempt: Attempt
) -> ModelResponse:
    watcher = bench.caches.watcher
    publish, backpressure = watcher.publish, watcher.backpressure
    reading = StreamedResponse(model)
    # By position and by name as the published SDK passes them: a model may name its positional
    # parameters differently.
    by_position = [value for name, value in arguments.items() if name not in _NAMED]
    stream = model.stream_response(*by_position, **{name: arguments[name] for name in _NAMED})
    try:
        async for event in stream:
            if publish is not None:
                attempt.seen = True
                if publish(RawResponsesStreamEvent(event)) and backpressure is not None:
                    await attempt.wait_for_watcher(backpressure())
            # A third-party model may yield objects that are not events of the client.
            if getattr(event, "type", None) != "response.output_text.delta":
                reading.see(event)
    finally:
        close = getattr(stream, "aclose", None)
        if close is not None:  # close the stream now, not at garbage collection
            await close()
    settings: ModelSettings = arguments["model_settings"]
    return reading.finish(
        preserve_raw_usage=bool(settings.preserve_raw_usage),
        keep_cut_text=settings.truncated_text == "keep",
    )


def _model(bench: Workbench, binding: AgentBinding, configured: str | Model | None) -> Model:
    """The model that the run or the agent configures; names go through the provider."""
    if configured is not None and not isinstance(configured, str):
        if not hasattr(configured, "get_response"):
            raise _no_model(binding.agent, configured)
        return configured
    models = bench.caches.models
    entry = models.get(binding.id)
    if entry is None or entry[0] != configured:
        model = bench.facts.provider.get_model(configured)
        if not hasattr(model, "get_response"):
            raise _no_model(binding.agent, model)
        entry = models[binding.id] = (configured, model)
    return cast("Model", entry[1])


def _no_model(agent: Agent[Any], model: object) -> UserError:
    return UserError(
        f"The model of agent '{agent.name}' must be a Model or the name of one, got"
        f" {type(model).__name__}"
    )


def _settings(
    bench: Workbench, binding: AgentBinding, configured: str | Model | None, user_code_ran: bool
) -> tuple[ModelSettings, tuple[str, ...]]:
    """The settings of the model call, and the names of those that can change in place.

    Args:
        bench: The run.
        binding: The agent at work.
        configured: The model of the run or of the agent.
        user_code_ran: Whether user code has run since the agent was found unchanged.
    """
    agent, config = binding.agent, bench.facts.config
    # Settings that the run configuration does not change are computed once for all runs.
    plain = config.model_settings is None and config.model is None
    memo = binding.memo if plain else bench.caches.settings
    name = "settings" if plain else binding.id
    entry = memo.get(name)
    # The environment names the default model, and may change between two runs.
    named = get_default_model() if configured is None else configured
    model = named if isinstance(named, str) else None
    # Compare by value: a hook may change the settings of its agent in place.
    if (
        entry is None
        or entry[0] != model
        or ((user_code_ran or not plain) and entry[1] != vars(agent.model_settings))
    ):
        base = settings_of_call(agent.model_settings, model)
        resolved = base.resolve(config.model_settings)
        entry = memo[name] = _settings_entry(model, vars(agent.model_settings), resolved)
    # A forced tool choice that stays forced would never let the agent answer (SDK guide,
    # reset_tool_choice).
    _, _, settings, relaxed, mutable = entry
    if relaxed is not settings and agent.reset_tool_choice and binding.id in bench.view.acted:
        settings = relaxed
    return settings, mutable


def _settings_entry(
    model: str | None, own: dict[str, Any], resolved: ModelSettings
) -> tuple[str | None, dict[str, Any], ModelSettings, ModelSettings, tuple[str, ...]]:
    """The model's name, the agent's own settings, those of the call, those of a call that forces no
    tool, and the names of the settings that can change in place.

    Args:
        model: The model's name, if it has one.
        own: The agent's own settings.
        resolved: The settings of the call; perhaps an object of the agent's.
    """
    if type(resolved) is ModelSettings and vars(resolved) == _UNSET:
        was = _UNSET if own == _UNSET else copy_of(own)
        return (model, was, _NO_SETTINGS, _NO_SETTINGS, ())
    mutable = mutable_names(resolved)
    settings = settings_copy(resolved, mutable)
    relaxed = settings if settings.tool_choice is None else replace(settings, tool_choice=None)
    return (model, copy_of(own), settings, relaxed, mutable)
