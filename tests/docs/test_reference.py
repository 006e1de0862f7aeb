"""The pages of docs/reference: each module that they show exists, and says what is public."""

from __future__ import annotations

import importlib.util
import re
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any

import pytest

REPOSITORY = Path(__file__).resolve().parents[2]
SHOWN = [
    (page.name, module)
    for page in sorted((REPOSITORY / "docs" / "reference").glob("*.md"))
    for module in re.findall(r"^::: (\S+)$", page.read_text(encoding="utf-8"), re.M)
]


@pytest.mark.parametrize(("page", "module"), SHOWN)
def test_a_module_of_the_reference_exists(page: str, module: str) -> None:
    assert importlib.util.find_spec(module) is not None


def hooks() -> ModuleType:
    spec = importlib.util.spec_from_file_location("hooks", REPOSITORY / "docs/site/hooks.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.mark.parametrize(
    ("source", "text", "shown"),
    [
        ("a.md", "```text printed\nx\n```", "```text\nx\n```"),
        ("a.md", "[b](../examples/b.py)", "b (`examples/b.py`)"),
        ("design/a.md", "[b](../b.md#c)", "[b](../b.md#c)"),
        ("design/a.md", "[b](../../b.md)", "b (`b.md`)"),
        ("design/a.md", "[b](../x/b.md)", "b (`x/b.md`)"),
        ("a.md", "[b](b.md)", "[b](b.md)"),
    ],
)
def test_a_page_is_read_as_the_site_reads_it(source: str, text: str, shown: str) -> None:
    page: Any = SimpleNamespace(file=SimpleNamespace(src_uri=source))
    files = [SimpleNamespace(src_uri="b.md")]

    assert hooks().on_page_markdown(text, page, None, files) == shown
