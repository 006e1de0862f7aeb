"""Models with the Agents SDK's interface that cost nothing: their replies are made in advance."""

from __future__ import annotations

import importlib
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from typing import Any

__all__ = ["adder", "answer", "call_of", "free_model", "sdk_of", "streaming_model"]


def sdk_of(package: str) -> Any:
    """Import a package and turn its tracing off."""
    sdk = importlib.import_module(package)
    if package == "agents":
        sdk.set_tracing_disabled(True)
    return sdk


def types() -> Any:
    return importlib.import_module("openai.types.responses")


def call_of(name: str, number: int, arguments: str = '{"a":1,"b":2}') -> Any:
    """Make a call of a tool."""
    return types().ResponseFunctionToolCall(
        type="function_call", name=name, arguments=arguments, call_id=f"c{number}", id=f"f{number}"
    )


def answer(text: str = "done") -> Any:
    """Make a message that ends a run."""
    content = [types().ResponseOutputText(type="output_text", text=text, annotations=[])]
    return types().ResponseOutputMessage(
        id="m", type="message", role="assistant", status="completed", content=content
    )


def free_model(
    package: str,
    replies: Sequence[Sequence[Any]],
    before_last: Callable[[], Awaitable[object]] | None = None,
) -> Any:
    """Make a model that gives these replies in order, to any number of runs.

    Args:
        package: The side's package.
        replies: The items of each reply. The length of the input determines which reply is due,
            because every turn adds a call and its output to the input.
        before_last: The model awaits this before its last reply.
    """
    interface = importlib.import_module(f"{package}.models.interface")
    items = importlib.import_module(f"{package}.items")
    usage = importlib.import_module(f"{package}.usage")
    responses = [items.ModelResponse(list(reply), usage.Usage(), None) for reply in replies]
    last = len(responses) - 1

    class Free(interface.Model):  # type: ignore[misc, name-defined]
        async def get_response(self, *args: Any, **kwargs: Any) -> Any:
            items = kwargs["input"] if "input" in kwargs else args[1]
            turn = 0 if isinstance(items, str) else min((len(items) - 1) // 2, last)
            if turn == last and before_last is not None:
                await before_last()
            return responses[turn]

        def stream_response(self, *args: Any, **kwargs: Any) -> Any:
            raise NotImplementedError

    return Free()


def streaming_model(package: str, deltas: int) -> Any:
    """Make a model that streams its answer in `deltas` pieces."""
    interface = importlib.import_module(f"{package}.models.interface")
    delta = types().ResponseTextDeltaEvent(
        type="response.output_text.delta",
        delta="word ",
        item_id="m",
        output_index=0,
        content_index=0,
        sequence_number=1,
        logprobs=[],
    )
    response = types().Response(
        id="r",
        created_at=0,
        model="free",
        object="response",
        output=[answer()],
        parallel_tool_calls=False,
        tool_choice="auto",
        tools=[],
    )
    completed = types().ResponseCompletedEvent(
        type="response.completed", response=response, sequence_number=2
    )

    class Streaming(interface.Model):  # type: ignore[misc, name-defined]
        async def get_response(self, *args: Any, **kwargs: Any) -> Any:
            raise NotImplementedError

        async def stream_response(self, *args: Any, **kwargs: Any) -> AsyncIterator[Any]:
            for _ in range(deltas):
                yield delta
            yield completed

    return Streaming()


def adder(sdk: Any) -> Any:
    """Make a tool that does nearly nothing."""

    async def add(a: int, b: int) -> int:
        """Add."""
        return a + b

    return sdk.function_tool(add)
