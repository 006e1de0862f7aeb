"""Calling a model: what it is shown, the call itself, and the reading of its reply."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from functools import partial
from typing import Any

from agentgraph.callbacks import resolve
from agentgraph.drivers.run import Run
from agentgraph.drivers.work.classify import classify
from agentgraph.drivers.work.hooks import call_hooks, context_of
from agentgraph.drivers.work.offer import Offer, offer_of
from agentgraph.drivers.work.retries import Attempt, call_until_answered
from agentgraph.exceptions import ModelTimeoutError, UserError
from agentgraph.items import ModelResponse
from agentgraph.model_settings import ModelSettings
from agentgraph.models.default_models import get_default_model_settings
from agentgraph.models.interface import Model, ModelTracing
from agentgraph.models.replies import usable
from agentgraph.models.streamed_response import StreamedResponse
from agentgraph.run_config import CallModelData, ModelInputData
from agentgraph.runtime.commands import Perform
from agentgraph.runtime.outcomes import Outcome
from agentgraph.stream_events import RawResponsesStreamEvent
from agentgraph_compiler.machine import MISSING_TOOL, Event, StateKind

_NAMED = ("previous_response_id", "conversation_id", "prompt")


async def think(run: Run, command: Perform) -> Outcome:
    """Perform a model call.

    Raises:
        AgentsException: The model or the caller's own code did what cannot be used.
    """
    binding = run.binding(command.agent)
    agent = binding.agent
    offer = await offer_of(binding, run.context, run.config.tool_name_collision_policy)
    if run.arriving:
        run.arriving = False
        await _greet(run, agent)
    # Asked on every turn, and of the agent: a class of its own may answer otherwise.
    instructions = await agent.get_system_prompt(run.context)
    shown = ModelInputData(run.transcript.model_input(), instructions)
    if run.config.reasoning_item_id_policy == "omit":
        shown.input = [_without_reasoning_id(item) for item in shown.input]
    if run.config.call_model_input_filter is not None:
        shown = await _filtered(run, agent, shown)
    if run.hooked(agent):
        await call_hooks(run, agent, "on_llm_start", agent, shown.instructions, shown.input)
    response = usable(await _call(run, agent, offer, shown, command), agent)
    run.context.usage.add(response.usage)
    run.transcript.delivered()
    run.conversation.follow(response.response_id)
    if run.hooked(agent):
        await call_hooks(run, agent, "on_llm_end", agent, response)
    reply, payload = classify(response, agent, offer, run.calls_seen, _missing(run, command.agent))
    return Outcome(command.id, Event.REPLIED, payload, reply)


def _missing(run: Run, agent_id: str) -> str | None:
    """The symbol of the offer that answers calls of tools nobody has; ``None`` if they are a
    fault."""
    if run.config.tool_not_found_behavior == "raise_error":
        return None
    symbol = f"{agent_id}/{MISSING_TOOL}"
    # A resumed run may ask for it in a machine that was compiled without.
    acting = run.machine.state.get(f"{agent_id}.{StateKind.ACTING.value}")
    return symbol if acting is not None and symbol in acting.offered else None


def _without_reasoning_id(item: Any) -> Any:
    if item.get("type") != "reasoning":
        return item
    return {name: value for name, value in item.items() if name != "id"}


async def _greet(run: Run, agent: Any) -> None:
    if run.hooked(agent):
        context = context_of(run, run.transcript.model_input())
        await call_hooks(run, agent, ("on_agent_start", "on_start"), agent, context=context)


async def _filtered(run: Run, agent: Any, shown: ModelInputData) -> ModelInputData:
    filter_input = run.config.call_model_input_filter
    assert filter_input is not None
    changed = await resolve(filter_input(CallModelData(shown, agent, run.context.context)))
    if not isinstance(changed, ModelInputData):
        raise UserError(
            f"call_model_input_filter must return ModelInputData, got {type(changed).__name__}"
        )
    return changed


async def _call(
    run: Run, agent: Any, offer: Offer, shown: ModelInputData, command: Perform
) -> ModelResponse:
    model = _model(run, agent, command.agent)
    prompt = await agent.get_prompt(run.context)
    settings = _settings(run, agent, command.agent)
    asked: dict[str, Any] = {
        "system_instructions": shown.instructions,
        "input": shown.input,
        "model_settings": settings,
        "tools": offer.tools,
        "output_schema": offer.schema,
        "handoffs": offer.handoffs,
        "tracing": ModelTracing.DISABLED,
        "previous_response_id": run.conversation.previous_response_id,
        "conversation_id": run.conversation.conversation_id,
        "prompt": prompt,
    }
    streamed = run.watcher.streamed
    if settings.retry is None or not settings.retry.max_retries:
        return await _attempt(run, model, asked, Attempt(streamed))
    return await call_until_answered(
        model,
        settings.retry,
        partial(_attempt, run, model, asked),
        streamed=streamed,
        previous_response_id=run.conversation.previous_response_id,
        conversation_id=run.conversation.conversation_id,
    )


async def _attempt(
    run: Run, model: Model, asked: dict[str, Any], attempt: Attempt
) -> ModelResponse:
    """Make a call once, within the time that the settings allow."""
    timeout = asked["model_settings"].timeout
    streamed = attempt.streamed
    reply = _stream(run, model, asked, attempt) if streamed else model.get_response(**asked)
    if timeout is None:
        return await reply
    timer = asyncio.timeout(timeout)
    try:
        async with timer:
            return await reply
    except TimeoutError as error:
        # A client may raise the very exception that our own deadline would.
        if not timer.expired():
            raise
        raise ModelTimeoutError(timeout) from error


async def _stream(run: Run, model: Model, asked: dict[str, Any], attempt: Attempt) -> ModelResponse:
    publish, room = run.watcher.publish, run.watcher.room
    reading = StreamedResponse()
    # By position and by name as the published SDK does it, whatever names a model gives to the
    # parameters that come by position.
    given = [value for name, value in asked.items() if name not in _NAMED]
    stream = model.stream_response(*given, **{name: asked[name] for name in _NAMED})
    try:
        async for event in stream:
            if publish is not None:
                attempt.shown = True
                publish(RawResponsesStreamEvent(data=event))
                if room is not None:
                    await room()
            if event.type != "response.output_text.delta":
                reading.see(event)
    finally:
        close = getattr(stream, "aclose", None)
        if close is not None:  # what was left of a stream must not be closed whenever it suits
            await close()
    return reading.finish(preserve_raw_usage=bool(asked["model_settings"].preserve_raw_usage))


def _model(run: Run, agent: Any, agent_id: str) -> Model:
    """The model of the run, else of the agent, else the default; names go through the provider."""
    wanted = run.config.model if run.config.model is not None else agent.model
    known = run.models.get(agent_id)
    if known is not None and known[0] is wanted:
        model: Model = known[1]
        return model
    model = run.provider.get_model(wanted) if wanted is None or isinstance(wanted, str) else wanted
    if not hasattr(model, "get_response"):
        raise UserError(
            f"The model of agent '{agent.name}' must be a Model or the name of one, got"
            f" {type(model).__name__}"
        )
    run.models[agent_id] = (wanted, model)
    return model


def _chosen(run: Run, agent: Any) -> ModelSettings:
    """The agent's settings; where it says nothing, those that its model goes best with."""
    own: ModelSettings = agent.model_settings
    wanted = run.config.model if run.config.model is not None else agent.model
    if own != ModelSettings() or not (wanted is None or isinstance(wanted, str)):
        return own
    return get_default_model_settings(wanted)


def _settings(run: Run, agent: Any, agent_id: str) -> Any:
    own = vars(agent.model_settings)
    known = run.settings.get(agent_id)
    # Compared by value: a tool may change the settings of its agent in place.
    if known is None or known[0] != own:
        settings = _chosen(run, agent).resolve(run.config.model_settings)
        relaxed = settings if settings.tool_choice is None else replace(settings, tool_choice=None)
        known = run.settings[agent_id] = (dict(own), settings, relaxed)
    # A forced tool choice that stays forced would never let the agent answer (SDK guide,
    # reset_tool_choice).
    return known[2] if agent.reset_tool_choice and id(agent) in run.acted else known[1]
