"""Reading the descriptions of a function and of its parameters from its docstring.

Rule: griffe parses the docstrings. It is imported for the first docstring that may have sections.
Unless the caller names a style, the style whose marks occur most often applies.
"""

from __future__ import annotations

import inspect
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final, Literal

from agentgraph.user_code.callbacks import name_of

__all__ = ["DocstringStyle", "FuncDocumentation", "generate_func_documentation"]

DocstringStyle = Literal["google", "numpy", "sphinx"]
"""A convention for docstrings, as griffe knows it."""


@dataclass
class FuncDocumentation:
    """The content of a docstring.

    Attributes:
        name: The function's name.
        description: The text before the first section; `None` if there is none.
        param_descriptions: The description of each documented parameter; `None` if there is none.
    """

    name: str
    description: str | None
    param_descriptions: dict[str, str] | None


_SECTIONS: Final = (
    r"Args|Arguments|Params|Parameters|Keyword Args|Keyword Arguments|Other Parameters|"
    r"Returns?|Yields?|Raises|Examples?|Attributes|Warns|Warnings|Notes?|See Also"
)
# The order decides a tie: the marks of the first style are the least likely to be prose.
_MARKS: Final[Mapping[DocstringStyle, re.Pattern[str]]] = {
    "sphinx": re.compile(r"^\s*:(?:param|type|return|returns|rtype|raises?)\b[^:]*:", re.M),
    "numpy": re.compile(rf"^\s*(?:{_SECTIONS})[ \t]*\n[ \t]*-{{3,}}[ \t]*$", re.M),
    "google": re.compile(rf"^\s*(?:{_SECTIONS}):[ \t]*$", re.M),
}
# griffe recognises a section only after a blank line; people often omit it after the summary.
_UNSEPARATED_SECTION: Final = re.compile(rf"(?<=\S)\n(?=(?:{_SECTIONS}):[ \t]*\n)")


def generate_func_documentation(
    func: Callable[..., Any], style: DocstringStyle | None = None
) -> FuncDocumentation:
    """Read the docstring of a function.

    Args:
        func: A function, a method, or a callable object.
        style: The convention of the docstring; detected when left out.

    Returns:
        The description of the function and those of its parameters. The names of `*args` and
        `**kwargs` parameters stand there without stars.
    """
    name = name_of(func)
    function = func if inspect.isroutine(func) else type(func).__call__
    doc = inspect.getdoc(function)
    if not doc:
        return FuncDocumentation(name, None, None)
    style = style or _detect_style(doc)
    if style == "google" and ":" not in doc:  # without a colon there is no section
        return FuncDocumentation(name, inspect.cleandoc("\n" + doc.rstrip()) or None, None)
    return _parse(name, doc, style)


def _parse(name: str, doc: str, style: DocstringStyle) -> FuncDocumentation:
    from griffe import Docstring, DocstringSectionParameters, DocstringSectionText

    if style == "google":
        doc = _UNSEPARATED_SECTION.sub("\n\n", doc)
    description: str | None = None
    parameters: dict[str, str] = {}
    # griffe removes the indentation once more and measures it from the second line on.
    for section in Docstring("\n" + doc, lineno=1, parser=style).parse(warnings=False):
        if isinstance(section, DocstringSectionText) and description is None:
            description = section.value
        elif isinstance(section, DocstringSectionParameters):
            for parameter in section.value:
                parameters[parameter.name.lstrip("*")] = parameter.description
    return FuncDocumentation(name, description, parameters or None)


def _detect_style(doc: str) -> DocstringStyle:
    scores: dict[DocstringStyle, int] = {
        style: len(marks.findall(doc)) for style, marks in _MARKS.items()
    }
    best = max(scores, key=scores.__getitem__)
    return best if scores[best] else "google"
