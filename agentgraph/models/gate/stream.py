"""The answers of a server as the client reads them: whether one can be read, whether a stream is
one at all, and whether it came to its end.

A stream of Chat Completions ends with `data: [DONE]`. The client takes this mark away, so a stream
that the connection cut off looks complete. The bytes tell the two apart.
"""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Callable, Coroutine, Iterable
from inspect import isawaitable
from typing import TYPE_CHECKING, Any, Final, TypeVar

from agentgraph.exceptions import ModelBehaviorError
from agentgraph.models.gate.body import check_body
from agentgraph.models.gate.calls import check_calls_allowed
from agentgraph.models.gate.server import Server

if TYPE_CHECKING:
    from openai import AsyncStream

__all__ = ["answer", "close_all", "closed", "pieces", "unstreamed", "watch_end"]

_MARK: Final = b"[DONE]"
_KEPT: Final = 64
# What the client lets through if an answer is not what it expects.
_UNREADABLE: Final = (
    ArithmeticError,
    AttributeError,
    LookupError,
    RecursionError,
    TypeError,
    ValueError,
)
_HTTP_LIBRARIES: Final = ("httpcore", "httpx", "httpx2")

_T = TypeVar("_T")


async def answer(request: Coroutine[object, object, _T], server: Server) -> _T:
    """Wait for an answer in one piece, or for a stream.

    Args:
        request: The client's call, not begun.
        server: The sender.

    Raises:
        ModelBehaviorError: The client cannot read the answer.
        UserError: A test forbids calls of models.
        openai.OpenAIError: The request failed, after the client's retries.
    """
    try:
        check_calls_allowed(server)
    except BaseException:
        request.close()
        raise
    try:
        return await request
    except (ValueError, RecursionError) as error:
        raise _unreadable(error, server) from error
    except Exception as error:
        server.keep_key_out(error)
        raise


async def pieces(stream: AsyncStream[Any], server: Server) -> AsyncIterator[Any]:
    """Read a stream piece by piece.

    Args:
        stream: The client's stream.
        server: The sender.

    Raises:
        ModelBehaviorError: The client cannot read a piece.
        openai.OpenAIError: The connection broke.
    """
    iterator = aiter(stream)
    while True:
        try:
            piece = await anext(iterator)
        except StopAsyncIteration:
            return
        except _UNREADABLE as error:
            raise _unreadable(error, server) from error
        except Exception as error:
            raise _of_the_client(error, stream) from error
        yield piece


async def closed(stream: object) -> None:
    """Close a stream of any library, and with it its connection."""
    close = getattr(stream, "aclose", None) or getattr(stream, "close", None)
    waiting = None if close is None else close()
    if isawaitable(waiting):
        await waiting


async def close_all(owners: Iterable[object]) -> None:
    """Close models, providers or clients, each once.

    Raises:
        Exception: One could not be closed; the others are. The first such error counts.
    """
    faults: list[Exception] = []
    for owner in {id(owner): owner for owner in owners}.values():
        try:
            await closed(owner)
        except Exception as fault:  # noqa: BLE001 - raised below, when all are closed
            faults.append(fault)
    if faults:
        raise faults[0]


async def unstreamed(stream: object, server: Server) -> Any:
    """Return the JSON object that a server answered in place of a stream.

    Args:
        stream: The client's stream, before it is read.
        server: The sender.

    Returns:
        The object; None if the answer is a stream.

    Raises:
        ModelBehaviorError: The answer is an error, or neither a stream nor an object.
        openai.OpenAIError: The connection broke.
    """
    response = getattr(stream, "response", None)
    kind = getattr(response, "headers", {}).get("content-type", "")
    if response is None or not ("html" in kind or "json" in kind):
        return None
    try:
        text = (await response.aread()).decode(errors="replace")
    except Exception as error:
        raise _of_the_client(error, stream) from error
    if text.lstrip().startswith(("data:", "event:", ":")):
        raise server.fault(f"sent a stream as {kind!r}; it must be text/event-stream.")
    body: object
    try:
        body = json.loads(text)
    except (ValueError, RecursionError):
        body = text
    check_body(body, server)
    return body


def _unreadable(error: Exception, server: Server) -> ModelBehaviorError:
    return server.fault(f"sent an answer that cannot be read ({type(error).__name__}).")


def _of_the_client(error: Exception, stream: Any) -> Exception:
    """Return an exception of the `openai` client for one of its HTTP library, which older clients
    let through."""
    import openai

    if type(error).__module__.partition(".")[0] not in _HTTP_LIBRARIES:
        return error
    return openai.APIConnectionError(request=stream.response.request)


def watch_end(stream: object) -> Callable[[], bool]:
    """Watch the bytes of a stream for the mark of its end. Call it before the stream is read.

    Args:
        stream: The client's stream. Any other iterator is trusted to end where its reply ends.

    Returns:
        A function that says whether the mark has come.
    """
    response = getattr(stream, "response", None)
    read = getattr(response, "aiter_bytes", None)
    if response is None or read is None:
        return lambda: True
    end = bytearray()

    async def watched(*args: object, **options: object) -> AsyncIterator[bytes]:
        async for data in read(*args, **options):
            end.extend(data)
            del end[:-_KEPT]
            yield data

    response.aiter_bytes = watched
    return lambda: _MARK in end
