"""What a function's docstring says about the function and its parameters.

Rule: docstrings are parsed by griffe, which is imported when the first one is met that may have
sections. The style is the one whose marks occur most often, unless it is named.
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
    """What a docstring says.

    Attributes:
        name: The function's name.
        description: The text before the first section, `None` when there is none.
        param_descriptions: The text about each documented parameter, `None` when there is none.
    """

    name: str
    description: str | None
    param_descriptions: dict[str, str] | None


_SECTIONS: Final = (
    r"Args|Arguments|Params|Parameters|Keyword Args|Keyword Arguments|Other Parameters|"
    r"Returns?|Yields?|Raises|Examples?|Attributes|Warns|Warnings|Notes?|See Also"
)
# In the order that decides a tie: the marks of the first are the least likely to be prose.
_MARKS: Final[Mapping[DocstringStyle, re.Pattern[str]]] = {
    "sphinx": re.compile(r"^\s*:(?:param|type|return|returns|rtype|raises?)\b[^:]*:", re.M),
    "numpy": re.compile(rf"^\s*(?:{_SECTIONS})[ \t]*\n[ \t]*-{{3,}}[ \t]*$", re.M),
    "google": re.compile(rf"^\s*(?:{_SECTIONS}):[ \t]*$", re.M),
}
# griffe sees a section only after a blank line; people often write none after the summary.
_UNSEPARATED_SECTION: Final = re.compile(rf"(?<=\S)\n(?=(?:{_SECTIONS}):[ \t]*\n)")


def generate_func_documentation(
    func: Callable[..., Any], style: DocstringStyle | None = None
) -> FuncDocumentation:
    """Read the docstring of a function.

    Args:
        func: A function, a method, or an object that can be called.
        style: The convention that the docstring follows; detected when left out.

    Returns:
        The description and the descriptions of the parameters; parameters that take any number of
        arguments stand there without their stars.
    """
    name = name_of(func)
    documented = func if inspect.isroutine(func) else type(func).__call__
    doc = inspect.getdoc(documented)
    if not doc:
        return FuncDocumentation(name, None, None)
    style = style or _detect_style(doc)
    if style == "google" and ":" not in doc:  # a section begins with a line that has one
        return FuncDocumentation(name, inspect.cleandoc("\n" + doc.rstrip()) or None, None)
    return _parse(name, doc, style)


def _parse(name: str, doc: str, style: DocstringStyle) -> FuncDocumentation:
    from griffe import Docstring, DocstringSectionParameters, DocstringSectionText

    if style == "google":
        doc = _UNSEPARATED_SECTION.sub("\n\n", doc)
    description: str | None = None
    parameters: dict[str, str] = {}
    # griffe takes the indentation off once more, measured from the second line on.
    for section in Docstring("\n" + doc, lineno=1, parser=style).parse(warnings=False):
        if isinstance(section, DocstringSectionText) and description is None:
            description = section.value
        elif isinstance(section, DocstringSectionParameters):
            for parameter in section.value:
                parameters[parameter.name.lstrip("*")] = parameter.description
    return FuncDocumentation(name, description, parameters or None)


def _detect_style(doc: str) -> DocstringStyle:
    scores = {style: len(marks.findall(doc)) for style, marks in _MARKS.items()}
    best = max(scores, key=scores.__getitem__)
    return best if scores[best] else "google"
