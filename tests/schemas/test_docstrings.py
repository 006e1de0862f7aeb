"""What a docstring says, in each convention."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from typing import Any

import pytest
from griffe import Docstring, DocstringSectionText
from hypothesis import assume, given
from hypothesis import strategies as st

from agentgraph.schemas.docstrings import (
    DocstringStyle,
    FuncDocumentation,
    generate_func_documentation,
)


def google(a: int, b: int, *args: int, **kw: int) -> None:
    """Summary.

    More of it.

    Args:
        a: the first
        b (int): the second,
            on two lines
        *args: the rest
        **kw: the named

    Returns:
        Nothing.
    """


def google_without_blank_line(a: int) -> None:
    """Summary.
    Args:
        a: the first
    Raises:
        ValueError: never
    """


def google_without_summary(a: int) -> None:
    """
    Args:
        a: the first
    """


def sphinx(a: int, b: int) -> None:
    """Summary.

    :param a: the first
    :param int b: the second
    :returns: nothing
    """


def numpy(a: int, *args: int) -> None:
    """Summary.

    Parameters
    ----------
    a : int
        the first
    *args : int
        the rest

    Returns
    -------
    None
    """


def prose(a: int) -> None:
    """Explain args: they are what a function takes."""


def silent(a: int) -> None: ...


READ: list[tuple[Callable[..., Any], str | None, dict[str, str] | None]] = [
    (
        google,
        "Summary.\n\nMore of it.",
        {"a": "the first", "b": "the second,\non two lines", "args": "the rest", "kw": "the named"},
    ),
    (google_without_blank_line, "Summary.", {"a": "the first"}),
    (google_without_summary, None, {"a": "the first"}),
    (sphinx, "Summary.", {"a": "the first", "b": "the second"}),
    (numpy, "Summary.", {"a": "the first", "args": "the rest"}),
    (prose, "Explain args: they are what a function takes.", None),
    (silent, None, None),
]


@pytest.mark.parametrize(("func", "description", "parameters"), READ)
def test_the_convention_is_recognised(
    func: Callable[..., Any], description: str | None, parameters: dict[str, str] | None
) -> None:
    assert generate_func_documentation(func) == FuncDocumentation(
        func.__name__, description, parameters
    )


@pytest.mark.parametrize(
    ("func", "style"), [(google, "google"), (sphinx, "sphinx"), (numpy, "numpy")]
)
def test_naming_the_convention_gives_the_same(
    func: Callable[..., Any], style: DocstringStyle
) -> None:
    assert generate_func_documentation(func, style) == generate_func_documentation(func)


def test_the_wrong_convention_leaves_the_text_as_it_is() -> None:
    documentation = generate_func_documentation(sphinx, "google")
    assert documentation.param_descriptions is None
    assert documentation.description is not None
    assert ":param a: the first" in documentation.description


def test_reading_a_docstring_logs_nothing(caplog: pytest.LogCaptureFixture) -> None:
    def tool(a, b):  # type: ignore[no-untyped-def]
        """Summary.

        Args:
            c: no such parameter
            malformed
        """

    generate_func_documentation(tool)
    assert caplog.records == []


@given(st.text(alphabet="ab \n\t-.>*`", max_size=60))
def test_a_text_without_sections_reads_as_griffe_reads_it(text: str) -> None:
    """It is read without griffe, which takes long to load."""

    def tool() -> None: ...

    tool.__doc__ = text
    cleaned = inspect.getdoc(tool)
    assume(cleaned and cleaned.strip())
    sections = Docstring(f"\n{cleaned}", lineno=1, parser="google").parse(warnings=False)
    texts = [section for section in sections if isinstance(section, DocstringSectionText)]
    assert generate_func_documentation(tool, "google").description == texts[0].value
