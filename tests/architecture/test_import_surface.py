"""`from agents import …` becomes `from agentgraph import …`: how far that goes, as a figure.

The published package is compared with this one, name by name. What is not here is listed, in the
table of `absent_names` and in docs/coming-from-the-sdk.md; a name that is neither here nor listed
fails, and so does one that is listed and here.
"""

from __future__ import annotations

import importlib
import re
from collections.abc import Callable, Iterator
from typing import Any

import pytest

import agentgraph
from agentgraph.authoring.absent_names import ABSENT, PAGE, anchor_of
from tests.architecture.import_surface import SURFACE
from tests.architecture.source_tree import REPOSITORY
from tests.docs.test_documents import anchors_of
from tests.published_sdk import needs_the_published_sdk, published

OUT_OF_SCOPE = (
    "sandboxes",
    "realtime-and-voice",
    "experiments-of-the-sdk",
    "workings-of-the-sdk",
)


def paths_of(surface: dict[str, list[str]]) -> Iterator[str]:
    """The modules of a surface and the names in them, by their paths below the package."""
    for module, names in surface.items():
        if module:
            yield module
        yield from (f"{module}.{name}" if module else name for name in names)


def is_here(path: str) -> bool:
    try:
        importlib.import_module(f"agentgraph.{path}")
    except ImportError:
        module, _, name = f"agentgraph.{path}".rpartition(".")
        try:
            return hasattr(importlib.import_module(module), name)
        except ImportError:
            return False
    return True


@needs_the_published_sdk
def test_what_the_published_package_has_is_here_or_is_listed(
    record_property: Callable[[str, object], None],
) -> None:
    paths = sorted(paths_of(published(SURFACE)))
    absent = [path for path in paths if not is_here(path)]
    in_scope = [path for path in paths if anchor_of(path) not in OUT_OF_SCOPE]
    missing = [path for path in absent if path in {*in_scope}]
    figure = (
        f"{len(in_scope) - len(missing)} of {len(in_scope)} public names and modules of the SDK are"
        f" here, {len(missing)} are listed as absent; {len(paths) - len(in_scope)} are out of scope"
    )
    print(figure)
    record_property("import_surface", figure)
    assert len(in_scope) > 500
    assert [path for path in absent if anchor_of(path) is None] == []
    entries = [entry for line in ABSENT.values() for entry in line.split()]
    idle = [each for each in entries if not any(_below(path, each) for path in absent)]
    assert idle == []


def _below(path: str, entry: str) -> bool:
    return path == entry or path.startswith(f"{entry}.")


@pytest.mark.parametrize("anchor", ABSENT)
def test_the_page_names_what_is_absent_under_the_anchor_that_a_sentence_gives(anchor: str) -> None:
    page = REPOSITORY / PAGE
    assert anchor in anchors_of(page)
    text = page.read_text(encoding="utf-8")
    headings = list(re.finditer(r"^### (.+)$", text, re.MULTILINE))
    [start] = [found for found in headings if found[1].lower().replace(" ", "-") == anchor]
    section = text[start.end() :].partition("\n#")[0]
    named = set(re.findall(r"`([\w.]+)`", section))
    assert set(ABSENT[anchor].split()) <= named


@pytest.mark.parametrize(
    ("statement", "kind", "sentence"),
    [
        ("from agentgraph import Agnt", ImportError, "Did you mean 'Agent'?"),
        ("import agentgraph; agentgraph.runner", AttributeError, "Did you mean 'Runner'?"),
        ("from agentgraph.tool import functiontool", ImportError, "Did you mean 'FunctionTool'?"),
        ("from agentgraph.tool import Agent", ImportError, "It is in agentgraph"),
        (
            "from agentgraph.extensions.memory import RedisSesion",
            ImportError,
            "Did you mean 'RedisSession'?",
        ),
        ("from agentgraph import voice", ImportError, f"see {PAGE}#realtime-and-voice"),
        (
            "from agentgraph.realtime import RealtimeAgent",
            ModuleNotFoundError,
            "agentgraph.realtime is not in agentgraph: see",
        ),
        (
            "from agentgraph.testing import ScriptedSandboxSession",
            ImportError,
            "agentgraph.testing.ScriptedSandboxSession is not in agentgraph: see",
        ),
    ],
)
def test_a_name_that_is_not_here_answers_with_a_sentence(
    statement: str, kind: type[Exception], sentence: str
) -> None:
    with pytest.raises(kind) as caught:
        exec(statement, {})
    assert sentence in str(caught.value)


@pytest.mark.parametrize("name", ["nothing_like_it", "voice", "__wrapped__"])
def test_asking_whether_a_name_is_here_says_no(name: str) -> None:
    assert not hasattr(agentgraph, name)
    assert getattr(agentgraph, name, None) is None
    found: Any = vars(agentgraph).get(name)
    assert found is None


def test_a_module_of_nobody_is_not_found_in_the_usual_words() -> None:
    with pytest.raises(ModuleNotFoundError, match=r"No module named 'agentgraph\.nothing'"):
        importlib.import_module("agentgraph.nothing")
