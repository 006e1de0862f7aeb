"""What a callable does with the context of a run, read from its code, and what a class of contexts
has. No code of the user runs.
"""

from __future__ import annotations

import dis
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import partial
from inspect import get_annotations, getattr_static, isclass, unwrap
from types import CodeType, FunctionType, MethodType
from typing import Final

_SILENT: Final = re.compile("CACHE|COPY_FREE_VARS|EXTENDED_ARG|NOP|PRECALL|PUSH_NULL")
_LOADS: Final = ("LOAD_CLOSURE", "LOAD_DEREF", "LOAD_FAST")
_ATTRIBUTE: Final = frozenset({"LOAD_ATTR", "LOAD_METHOD"})
_GUARDS: Final = frozenset({"AttributeError", "getattr", "hasattr", "isinstance"})
"""Names in code that may ask first what the context has."""
_Step = tuple[str, object]


@dataclass(slots=True)
class ContextUse:
    """What a callable does with the context.

    Args:
        reads: The attributes that it reads.
        writes: The attributes that it assigns.
        whole: Whether it may do anything else: pass the context on, compare it.
    """

    reads: set[str] = field(default_factory=set)
    writes: set[str] = field(default_factory=set)
    whole: bool = False

    def __bool__(self) -> bool:
        return self.whole or bool(self.reads or self.writes)

    def add(self, other: ContextUse) -> None:
        """Add what another callable does."""
        self.reads |= other.reads
        self.writes |= other.writes
        self.whole = self.whole or other.whole


def use_of_context(function: object) -> ContextUse:
    """What a callable does with the context of its first argument. Only the code of a plain
    function says that it does nothing with it."""
    while isinstance(function, partial):
        function = function.func
    place = 0
    function = unwrap(function) if callable(function) else function
    if not isinstance(function, FunctionType | MethodType):
        function, place = getattr_static(type(function), "__call__", None), 1
    if isinstance(function, MethodType):
        function, place = function.__func__, 1
    if not isinstance(function, FunctionType) or function.__code__.co_argcount <= place:
        return ContextUse(whole=True)
    return _use(function.__code__, function.__code__.co_varnames[place])


_BY_NAME: Final = frozenset({"setattr", "__dict__"})
"""Names in code that may set attributes of any name."""


def attributes_of_class(cls: object) -> tuple[str, ...]:
    """The attributes that objects of a class may have; empty if only they know."""
    if not isclass(cls) or _is_open(cls):
        return ()
    names = set(dir(cls))
    for base in cls.__mro__:
        try:
            names.update(get_annotations(base))
        except NameError:
            return ()  # an annotation that only a type checker can evaluate
        for value in vars(base).values():
            code = getattr(getattr(value, "fget", value), "__code__", None)
            if not isinstance(code, CodeType):
                continue
            if _BY_NAME.intersection(code.co_names) and not _is_of_pydantic(base):
                return ()
            names.update(str(name) for step, name in _steps(code) if step == "STORE_ATTR")
    return tuple(sorted(name for name in names if not name.startswith("__")))


def _is_of_pydantic(cls: type) -> bool:
    return cls.__module__.partition(".")[0] == "pydantic"


def _is_open(cls: type) -> bool:
    """Whether objects of a class may have any attribute."""
    for base in cls.__mro__[:-1]:
        if _is_of_pydantic(base):
            continue  # a model has the fields that it declares
        if base.__module__ == "builtins" or {"__getattr__", "__getattribute__"} & set(vars(base)):
            return True
    config = getattr(cls, "model_config", {})
    return isinstance(config, dict) and config.get("extra") == "allow"


def _use(code: CodeType, parameter: str) -> ContextUse:
    steps = list(_steps(code))
    use = ContextUse(whole=parameter in code.co_cellvars)
    aliases: list[str] = []
    for place, (operation, name) in enumerate(steps):
        if name != parameter or not operation.startswith(_LOADS):
            continue
        follower = steps[place + 1]
        if follower == ("LOAD_ATTR", "context"):
            aliases += _note(use, steps[place + 2])
        elif follower[0] not in _ATTRIBUTE:
            use.whole = True
    for alias in aliases:
        stores = [step for step in steps if step == ("STORE_FAST", alias)]
        if len(stores) > 1 or alias in code.co_cellvars:
            use.whole = True
            continue
        for place, (operation, name) in enumerate(steps):
            if name == alias and operation.startswith(_LOADS):
                use.whole = bool(_note(use, steps[place + 1])) or use.whole
    if not _GUARDS.isdisjoint(code.co_names):
        return ContextUse(whole=bool(use))
    return use


def _note(use: ContextUse, step: _Step) -> list[str]:
    """Note what happens to the context; the variable that holds it from now on, if there is one."""
    match step:
        case ("LOAD_ATTR" | "LOAD_METHOD", str(name)):
            if not name.startswith("__"):
                use.reads.add(name)
        case ("STORE_ATTR", str(name)):
            use.writes.add(name)
        case ("STORE_FAST", str(name)):
            return [name]
        case ("POP_TOP", _):
            pass
        case _:
            use.whole = True
    return []


def _steps(code: CodeType) -> Iterator[_Step]:
    """The instructions of code, with those that do two things as two."""
    for instruction in dis.get_instructions(code):
        if isinstance(instruction.argval, tuple):
            verbs = re.findall("LOAD|STORE", instruction.opname)
            yield from zip((f"{verb}_FAST" for verb in verbs), instruction.argval, strict=False)
        elif not _SILENT.fullmatch(instruction.opname):
            yield instruction.opname, instruction.argval
    yield "", None
    yield "", None
