"""The JSON schema of a function's arguments, and the conversion from JSON to a call.

Rule: the function receives every value that the schema allows as a value of the annotated type. One
pydantic model, built once per function, gives both the schema and the validation.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Annotated, Any, Final, Literal, assert_never, get_args, get_origin
from typing import Unpack as TypingUnpack

from pydantic import BaseModel, ConfigDict, Field, create_model
from pydantic.errors import PydanticUndefinedAnnotation, PydanticUserError
from pydantic.fields import FieldInfo
from typing_extensions import Unpack

from agentgraph.authoring.mistakes import no_strict_schema
from agentgraph.authoring.recording import current_recorder
from agentgraph.exceptions import UserError
from agentgraph.schemas.docstrings import (
    DocstringStyle,
    FuncDocumentation,
    generate_func_documentation,
)
from agentgraph.schemas.parameters import arguments_json_schema
from agentgraph.schemas.strict import ensure_strict_json_schema
from agentgraph.schemas.type_hints import context_type, is_context_annotation, resolve_hints
from agentgraph.user_code.callbacks import name_of

__all__ = [
    "DocstringStyle",
    "FuncDocumentation",
    "FuncSchema",
    "context_type",
    "function_schema",
    "generate_func_documentation",
]

_Passing = Literal["positional", "keyword", "spread", "spread_keywords"]
_PASSING: Final[dict[Any, _Passing]] = {
    inspect.Parameter.POSITIONAL_ONLY: "positional",
    inspect.Parameter.POSITIONAL_OR_KEYWORD: "positional",
    inspect.Parameter.VAR_POSITIONAL: "spread",
    inspect.Parameter.KEYWORD_ONLY: "keyword",
    inspect.Parameter.VAR_KEYWORD: "spread_keywords",
}
_BY_NAME: Final = inspect.Parameter.KEYWORD_ONLY
# On Python 3.11 the two modules have one form each.
_UNPACK: Final = (TypingUnpack, Unpack)


@dataclass(frozen=True, slots=True)
class _Argument:
    """One parameter: its name, the model field that holds its value, and how the call passes it."""

    parameter: str
    field: str
    passing: _Passing


@dataclass
class FuncSchema:
    """A function as a model sees it.

    Attributes:
        name: The name by which the model calls it.
        description: The description that the model sees.
        params_pydantic_model: Validates the arguments.
        params_json_schema: Describes the arguments.
        signature: The function's own signature.
        takes_context: Whether a parameter receives the context of the call: the first one, or a
            keyword-only one.
        strict_json_schema: Whether the schema is strict.
        return_annotation: The type of the result; `inspect.Signature.empty` if not declared.
    """

    name: str
    description: str | None
    params_pydantic_model: type[BaseModel]
    params_json_schema: dict[str, Any]
    signature: inspect.Signature
    takes_context: bool = False
    strict_json_schema: bool = True
    return_annotation: object = inspect.Signature.empty
    _arguments: tuple[_Argument, ...] | None = field(default=None, repr=False, kw_only=True)
    # The fields of the positional parameters, which come first, and the other arguments.
    _positional: tuple[str, ...] = field(default=(), repr=False, init=False)
    _others: tuple[_Argument, ...] | None = field(default=None, repr=False, init=False)
    # The keyword-only parameter that receives the context; `None` if the first parameter does.
    _context_keyword: str | None = field(default=None, repr=False, kw_only=True)

    def to_call_args(self, data: BaseModel) -> tuple[list[Any], dict[str, Any]]:
        """Arrange validated arguments for a call.

        Args:
            data: An instance of `params_pydantic_model`.

        Returns:
            The positional and the keyword arguments, without the context.

        Raises:
            UserError: The free-form keywords name a parameter that has its own value.
        """
        if self._others is None:
            self._arrange()
        values = data.__dict__
        positional: list[Any] = [values[name] for name in self._positional]
        keywords: dict[str, Any] = {}
        for argument in self._others or ():
            value = values[argument.field]
            match argument.passing:
                case "keyword":
                    keywords[argument.parameter] = value
                case "spread":
                    positional.extend(value)
                case "spread_keywords":
                    if repeated := keywords.keys() & value.keys():
                        raise UserError(f"{self.name} got two values for {sorted(repeated)}.")
                    keywords.update(value)
        return positional, keywords

    def _arrange(self) -> None:
        if self._arguments is None:
            first = next(iter(self.signature.parameters), None)
            context = (self._context_keyword or first) if self.takes_context else None
            self._arguments = tuple(_arguments_of(self.signature, context))
        plain, others = list[str](), list[_Argument]()
        for argument in self._arguments:
            if argument.passing == "positional":
                plain.append(argument.field)
            else:
                others.append(argument)
        self._positional, self._others = tuple(plain), tuple(others)

    def to_call_args_with(
        self, context: object, data: BaseModel
    ) -> tuple[list[Any], dict[str, Any]]:
        """Arrange validated arguments for a call, with the context if the function takes one.

        Args:
            context: The context of the call.
            data: As for `to_call_args`, which raises the same errors.
        """
        positional, keywords = self.to_call_args(data)
        if self.takes_context:
            if self._context_keyword is None:
                positional.insert(0, context)
            else:
                keywords[self._context_keyword] = context
        return positional, keywords


def function_schema(
    func: Callable[..., Any],
    docstring_style: DocstringStyle | None = None,
    name_override: str | None = None,
    description_override: str | None = None,
    use_docstring_info: bool = True,
    strict_json_schema: bool = True,
) -> FuncSchema:
    """Describe a function to a model.

    Args:
        func: A function, a bound method, or a callable object. A parameter of type
            `RunContextWrapper` or `ToolContext`, or of one of these types `| None`, receives the
            context; it must be the first parameter or keyword-only.
        docstring_style: The convention of the docstring; detected when left out.
        name_override: The name to use instead of the function's own.
        description_override: The description to use instead of the docstring's.
        use_docstring_info: Whether the docstring describes the function and its parameters.
        strict_json_schema: Whether to derive the strict form, in which the model writes every
            argument.

    Raises:
        UserError: A parameter cannot be described: a context in another place, a type without a
            pydantic schema, free-form keys in strict mode.
    """
    name = name_override or name_of(func)
    documentation = (
        generate_func_documentation(func, docstring_style) if use_docstring_info else None
    )
    hints = resolve_hints(func)
    signature = inspect.signature(func)
    context = _context_parameter(func, signature, hints)
    arguments = tuple(_arguments_of(signature, context))
    model = _arguments_model(
        name,
        {
            argument.field: _field_definition(
                argument,
                signature.parameters[argument.parameter],
                hints.get(argument.parameter, Any),
                documentation,
            )
            for argument in arguments
        },
        closed=any(argument.passing == "spread_keywords" for argument in arguments),
    )
    return FuncSchema(
        name=name,
        description=description_override or (documentation.description if documentation else None),
        params_pydantic_model=model,
        params_json_schema=_json_schema(model, name, strict_json_schema),
        signature=signature,
        takes_context=context is not None,
        strict_json_schema=strict_json_schema,
        return_annotation=hints.get("return", inspect.Signature.empty),
        _arguments=arguments,
        _context_keyword=context if _is_by_name(signature, context) else None,
    )


def _context_parameter(
    func: Callable[..., Any], signature: inspect.Signature, hints: dict[str, Any]
) -> str | None:
    """Find the parameter that receives the context."""
    parameters = signature.parameters
    contexts = [name for name in parameters if is_context_annotation(hints.get(name))]
    first = next(iter(parameters), None)
    misplaced = [
        name
        for name in contexts
        if parameters[name].kind is inspect.Parameter.VAR_KEYWORD
        or (name != first and parameters[name].kind is not _BY_NAME)
    ]
    if misplaced:
        raise UserError(
            f"Parameter {misplaced[0]} of function {name_of(func)} is a "
            "RunContextWrapper/ToolContext at a non-first position. "
            "Make the context the first parameter, or a keyword-only one."
        )
    if len(contexts) > 1:
        raise UserError(
            f"Parameters {' and '.join(contexts)} of function {name_of(func)} all receive the "
            "context of the call. Keep one of them."
        )
    if first == "self" and first not in hints:
        raise UserError(
            f"{name_of(func)} is an unbound method, and a model cannot supply the object. "
            "Make the tool from a bound method: function_tool(instance.method)."
        )
    return contexts[0] if contexts else None


def _is_by_name(signature: inspect.Signature, name: str | None) -> bool:
    return name is not None and signature.parameters[name].kind is _BY_NAME


def _arguments_of(signature: inspect.Signature, context: str | None) -> Iterator[_Argument]:
    parameters = [each for name, each in signature.parameters.items() if name != context]
    names = {parameter.name for parameter in parameters}
    for parameter in parameters:
        field_name = _field_name(parameter.name, names)
        names.add(field_name)
        yield _Argument(parameter.name, field_name, _PASSING[parameter.kind])


def _field_name(parameter: str, names: set[str]) -> str:
    """Name the model's field after the parameter, unless pydantic reserves that name."""
    name = parameter
    while name.startswith("_") or hasattr(BaseModel, name) or (name != parameter and name in names):
        name = "p" + name
    return name


def _field_definition(
    argument: _Argument,
    parameter: inspect.Parameter,
    annotation: Any,
    documentation: FuncDocumentation | None,
) -> tuple[Any, Any]:
    options: dict[str, Any] = {}
    if description := _description_of(argument.parameter, annotation, documentation):
        options["description"] = description
    if argument.field != argument.parameter:
        options["alias"] = argument.parameter
        options["title"] = argument.parameter.replace("_", " ").strip().title()
    match argument.passing:
        case "spread" | "spread_keywords" if get_origin(annotation) in _UNPACK:
            annotation = get_args(annotation)[0]
        case "spread":
            annotation, options["default_factory"] = list[annotation], list
        case "spread_keywords":
            annotation, options["default_factory"] = dict[str, annotation], dict
        case "positional" | "keyword" if isinstance(parameter.default, FieldInfo):
            # `a: int = Field(3, lt=10)` puts constraints and default into one object.
            annotation = Annotated[annotation, parameter.default]
        case "positional" | "keyword":
            if parameter.default is not inspect.Parameter.empty:
                options["default"] = parameter.default
        case _:
            assert_never(argument.passing)
    return annotation, Field(**options)


def _description_of(
    parameter: str, annotation: object, documentation: FuncDocumentation | None
) -> str | None:
    """Describe a parameter by the docstring, else by the first text in its `Annotated`."""
    descriptions = documentation.param_descriptions if documentation else None
    if descriptions and parameter in descriptions:
        return descriptions[parameter]
    metadata = get_args(annotation)[1:] if get_origin(annotation) is Annotated else ()
    return next((text for text in metadata if isinstance(text, str)), None)


def _arguments_model(name: str, fields: dict[str, Any], *, closed: bool) -> type[BaseModel]:
    # With `**kwargs`, free-form keywords have their own field, so any other key is a mistake.
    config = ConfigDict(
        protected_namespaces=(),
        extra="forbid" if closed else "ignore",
    )
    try:
        return create_model(f"{name}_args", __config__=config, **fields)
    except (PydanticUserError, TypeError) as error:
        raise UserError(f"The arguments of {name} cannot be described: {error}") from error


def _json_schema(model: type[BaseModel], name: str, strict: bool) -> dict[str, Any]:
    try:
        schema = arguments_json_schema(model)
        return ensure_strict_json_schema(schema) if strict else schema
    except (PydanticUserError, PydanticUndefinedAnnotation, ValueError) as error:
        raise UserError(f"The arguments of {name} cannot be described: {error}") from error
    except UserError as error:
        refusal = UserError(f"The arguments of {name} have no strict JSON schema: {error.message}")
        refusal.rule = no_strict_schema.RULE
        recorder = current_recorder()
        if recorder is None:
            raise refusal from error
        recorder.mistaken(refusal)
        return ensure_strict_json_schema({})  # the tool without its arguments
