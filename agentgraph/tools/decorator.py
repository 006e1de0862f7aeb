"""`function_tool`: make a tool from a Python function.

Rule: the function's signature and docstring are read once, when the tool is made. A call validates
the model's JSON, calls the function and applies the failure function, and does nothing else.
"""

from __future__ import annotations

import functools
import inspect
from collections.abc import Awaitable, Callable
from typing import Any, Concatenate, ParamSpec, TypeAlias, overload

from pydantic import BaseModel, TypeAdapter, ValidationError
from typing_extensions import Unpack

from agentgraph.authoring.origin import SourceLine
from agentgraph.exceptions import AgentDefinitionError, UserError
from agentgraph.items.tool_payload import PLAIN, check_readable
from agentgraph.run_context import RunContextWrapper
from agentgraph.schemas.arguments import (
    InvalidToolArguments,
    check_strict,
    problems_of,
    read_arguments,
)
from agentgraph.schemas.docstrings import DocstringStyle
from agentgraph.schemas.signatures import FuncSchema, function_schema
from agentgraph.schemas.type_hints import context_type
from agentgraph.tool_context import ToolContext
from agentgraph.tool_guardrails import ToolInputGuardrail, ToolOutputGuardrail
from agentgraph.tools.errors import default_tool_error_function, failure_message
from agentgraph.tools.function import (
    FunctionTool,
    FunctionToolCustomDataExtractor,
    ToolApproval,
    ToolCaller,
    ToolEffects,
    ToolEnabled,
    ToolErrorFunction,
    ToolTimeoutBehavior,
)
from agentgraph.user_code.callbacks import call_in_thread, name_of, resolve

__all__ = ["ToolFunction", "ToolParams", "function_tool"]

ToolParams = ParamSpec("ToolParams")

ToolFunction: TypeAlias = (
    Callable[ToolParams, Any]
    | Callable[Concatenate[RunContextWrapper[Any], ToolParams], Any]
    | Callable[Concatenate[ToolContext[Any], ToolParams], Any]
)
"""A function that can be a tool: with or without the context in front, sync or async."""


@overload
def function_tool(
    func: ToolFunction[...],
    *,
    name_override: str | None = None,
    description_override: str | None = None,
    docstring_style: DocstringStyle | None = None,
    use_docstring_info: bool = True,
    failure_error_function: ToolErrorFunction | None = ...,
    strict_mode: bool = True,
    is_enabled: ToolEnabled = True,
    needs_approval: ToolApproval = False,
    tool_input_guardrails: list[ToolInputGuardrail[Any]] | None = None,
    tool_output_guardrails: list[ToolOutputGuardrail[Any]] | None = None,
    timeout: float | None = None,
    timeout_behavior: ToolTimeoutBehavior = "error_as_result",
    timeout_error_function: ToolErrorFunction | None = None,
    defer_loading: bool = False,
    custom_data_extractor: FunctionToolCustomDataExtractor | None = None,
    allowed_callers: list[ToolCaller] | None = None,
    output_type: Any | None = None,
    output_json_schema: dict[str, Any] | None = None,
    **effects: Unpack[ToolEffects],
) -> FunctionTool: ...


@overload
def function_tool(
    func: None = None,
    *,
    name_override: str | None = None,
    description_override: str | None = None,
    docstring_style: DocstringStyle | None = None,
    use_docstring_info: bool = True,
    failure_error_function: ToolErrorFunction | None = ...,
    strict_mode: bool = True,
    is_enabled: ToolEnabled = True,
    needs_approval: ToolApproval = False,
    tool_input_guardrails: list[ToolInputGuardrail[Any]] | None = None,
    tool_output_guardrails: list[ToolOutputGuardrail[Any]] | None = None,
    timeout: float | None = None,
    timeout_behavior: ToolTimeoutBehavior = "error_as_result",
    timeout_error_function: ToolErrorFunction | None = None,
    defer_loading: bool = False,
    custom_data_extractor: FunctionToolCustomDataExtractor | None = None,
    allowed_callers: list[ToolCaller] | None = None,
    output_type: Any | None = None,
    output_json_schema: dict[str, Any] | None = None,
    **effects: Unpack[ToolEffects],
) -> Callable[[ToolFunction[...]], FunctionTool]: ...


def function_tool(
    func: ToolFunction[...] | None = None,
    *,
    name_override: str | None = None,
    description_override: str | None = None,
    docstring_style: DocstringStyle | None = None,
    use_docstring_info: bool = True,
    failure_error_function: ToolErrorFunction | None = default_tool_error_function,
    strict_mode: bool = True,
    is_enabled: ToolEnabled = True,
    needs_approval: ToolApproval = False,
    tool_input_guardrails: list[ToolInputGuardrail[Any]] | None = None,
    tool_output_guardrails: list[ToolOutputGuardrail[Any]] | None = None,
    timeout: float | None = None,
    timeout_behavior: ToolTimeoutBehavior = "error_as_result",
    timeout_error_function: ToolErrorFunction | None = None,
    defer_loading: bool = False,
    custom_data_extractor: FunctionToolCustomDataExtractor | None = None,
    allowed_callers: list[ToolCaller] | None = None,
    output_type: Any | None = None,
    output_json_schema: dict[str, Any] | None = None,
    **effects: Unpack[ToolEffects],
) -> FunctionTool | Callable[[ToolFunction[...]], FunctionTool]:
    """Make a tool from a function, as a decorator with or without arguments.

    Its name, description and schema come from signature and docstring. A sync one runs in a thread.
    `function_schema` and `FunctionTool` describe the arguments that are not listed here.

    Args:
        func: The function, sync or async; its context parameter is the first or keyword-only.
        failure_error_function: Writes what the model reads when a call fails; `None` ends the run.
        strict_mode: Whether the provider holds the model to the schema; free maps need `False`.
        timeout: In seconds; for async functions only: no thread can be stopped.
        output_type: The type of the output, in place of `output_json_schema`.

    Raises:
        UserError: The signature cannot be described, or the function is a generator.
        AgentDefinitionError: A sync function has a timeout, or a value cannot work.
    """
    schema_options = (docstring_style, name_override, description_override, use_docstring_info)

    def make(function: ToolFunction[...]) -> FunctionTool:
        schema = function_schema(_checked(function, timeout), *schema_options, strict_mode)
        return FunctionTool(
            is_enabled=is_enabled,
            tool_input_guardrails=tool_input_guardrails,
            tool_output_guardrails=tool_output_guardrails,
            needs_approval=needs_approval,
            timeout_seconds=timeout,
            timeout_behavior=timeout_behavior,
            timeout_error_function=timeout_error_function,
            defer_loading=defer_loading,
            custom_data_extractor=custom_data_extractor,
            allowed_callers=allowed_callers,
            output_json_schema=_output_schema(output_type, output_json_schema),
            **effects,
            **_derived(function, schema, failure_error_function),
        )

    return make if func is None else make(func)


def _output_schema(
    output_type: Any | None, output_json_schema: dict[str, Any] | None
) -> dict[str, Any] | None:
    if output_type is None:
        return output_json_schema
    if output_json_schema is not None:
        raise UserError("function_tool takes output_type or output_json_schema, not both.")
    return TypeAdapter(output_type).json_schema(mode="serialization")


def _derived(
    function: Callable[..., Any], schema: FuncSchema, on_failure: ToolErrorFunction | None
) -> dict[str, Any]:
    """Return the fields of a `FunctionTool` that come from its function."""
    return {
        "name": schema.name,
        "description": schema.description or "",
        "params_json_schema": schema.params_json_schema,
        "strict_json_schema": schema.strict_json_schema,
        "on_invoke_tool": _invocation(function, schema, on_failure),
        "_failure_error_function": on_failure,
        "_strict_form": schema.params_json_schema if schema.strict_json_schema else None,
        "_origin": _origin_of(function),
        "_function": function,
        "_context": context_type(function) if schema.takes_context else None,
    }


def _invocation(
    function: Callable[..., Any], schema: FuncSchema, on_failure: ToolErrorFunction | None
) -> Callable[[ToolContext[Any], str], Awaitable[Any]]:
    """Build the function that carries out one call of the tool."""
    is_async = _is_async(function)

    async def invoke(ctx: ToolContext[Any], arguments: str) -> Any:
        try:
            validated = _validated(schema, ctx, arguments)
            positional, keywords = schema.to_call_args_with(ctx, validated)
            if is_async:
                output = await function(*positional, **keywords)
            else:
                owner = _owner(schema.name, ctx)
                output = await call_in_thread(owner, function, *positional, **keywords)
            if type(output) not in PLAIN:
                output = await resolve(output)
                check_readable(output, f"tool {schema.name}")
            return output
        except Exception as error:
            if on_failure is None:
                raise
            return await failure_message(on_failure, ctx, error, schema.name)

    return invoke


def _owner(name: str, ctx: ToolContext[Any]) -> str:
    """Name a tool and its agent for the log. A call made by the program itself has no agent."""
    agent = getattr(getattr(ctx, "agent", None), "name", None)
    tool = f"tool {getattr(ctx, 'tool_name', name)}"
    return tool if agent is None else f"{tool} of agent {agent}"


def _validated(schema: FuncSchema, ctx: ToolContext[Any], arguments: str) -> BaseModel:
    validator = schema.params_pydantic_model.__pydantic_validator__
    check_strict(arguments, getattr(ctx, "tool_name", schema.name))
    try:
        # For a tool without parameters a model may send an empty text.
        validated: BaseModel = validator.validate_json(arguments or "{}")
    except ValidationError as error:
        name = getattr(ctx, "tool_name", schema.name)
        value = read_arguments(arguments, name)
        # Without a cause: pydantic's own message quotes the arguments.
        if error.errors(include_url=False, include_input=False)[0]["type"] != "json_invalid":
            raise InvalidToolArguments(name, problems_of(error), is_json=True) from None
        # JSON that only Python's parser accepts: half of a surrogate pair in a text.
        try:
            validated = validator.validate_python(value)
        except ValidationError as second:
            raise InvalidToolArguments(name, problems_of(second), is_json=True) from None
    return validated


def _checked(function: object, timeout: float | None) -> Callable[..., Any]:
    if not callable(function):
        raise UserError(f"function_tool needs a function, not {type(function).__name__}.")
    if isinstance(function, (functools.partial, functools.partialmethod)):
        raise UserError(
            "function_tool cannot describe a functools.partial, because it hides the names of its "
            "arguments. Write a function that calls it."
        )
    if _is_kind(function, inspect.isgeneratorfunction, inspect.isasyncgenfunction):
        raise UserError(
            f"{name_of(function)} is a generator, but a tool call has one result and cannot yield "
            "several. Return a text or a list."
        )
    if timeout is not None and not _is_async(function):
        raise AgentDefinitionError(
            f"Tool {name_of(function)}: a timeout is only supported for async functions. "
            "A thread cannot be stopped; write the function with `async def`."
        )
    return function


def _is_async(function: Callable[..., Any]) -> bool:
    return _is_kind(function, inspect.iscoroutinefunction)


def _is_kind(function: Callable[..., Any], *kinds: Callable[[object], bool]) -> bool:
    """Whether a function, or the `__call__` of an object, is of one of these kinds."""
    called = function if inspect.isroutine(function) else type(function).__call__
    return any(kind(function) or kind(called) for kind in kinds)


def _origin_of(function: Callable[..., Any]) -> SourceLine | None:
    """Return the file and first line of the function.

    It is None for a callable without code; the origin is then the line that makes the tool.
    """
    source = inspect.unwrap(function)
    code = getattr(source, "__code__", None) or getattr(type(source).__call__, "__code__", None)
    return None if code is None else (code.co_filename, code.co_firstlineno)
