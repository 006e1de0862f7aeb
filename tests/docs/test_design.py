"""The pages of docs/design say what the code is: every file, name, layer and state that they list.

``UPDATE_GOLDENS=1 pytest tests/docs/test_design.py`` copies the table of layers into the page.
"""

from __future__ import annotations

import importlib
import os
from pathlib import Path

import pytest

from agentgraph.drivers.tasks import Work
from agentgraph.drivers.workbench import Workbench
from agentgraph.record import payloads, step_payloads
from agentgraph.runtime.commands import Perform
from agentgraph.runtime.outcomes import Outcome
from agentgraph_compiler.checks import CHECKS
from agentgraph_compiler.machine import OUTCOMES, Event, StateKind
from tests.api.scenarios import SCENARIOS
from tests.architecture.layers import LAYERS, Layer
from tests.architecture.source_tree import modules
from tests.architecture.test_budgets import VAGUE_NAMES
from tests.docs.design_pages import (
    ARCHITECTURE,
    BEHAVIOUR,
    PAGES,
    REPLAY,
    REPOSITORY,
    code_in,
    modules_in,
    paths_in,
    prose_of,
    sections_of,
    table_under,
)
from tests.replay.cuts import uncut
from tests.replay.test_cut_anywhere import NO_RUN

UPDATE = "UPDATE_GOLDENS" in os.environ
LAYERS_BEGIN, LAYERS_END = "<!-- layers -->\n", "<!-- end of layers -->"


def words(text: str) -> str:
    """A text without its line breaks."""
    return " ".join(text.split())


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_file_that_a_page_names_is_there(page: Path) -> None:
    named = list(paths_in(prose_of(page)))
    assert named
    gone = [path for path in named if not (REPOSITORY / path).exists()]
    assert not gone, f"{page.name} names what is not there (moved? change the page): {gone}"


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_dotted_name_of_a_page_can_be_imported(page: Path) -> None:
    gone = [name for name in modules_in(prose_of(page)) if not is_there(name)]
    assert not gone, f"{page.name} names what is not there (moved? change the page): {gone}"


def is_there(name: str) -> bool:
    """Whether a dotted name is a module of ours, or stands in one."""
    module, parts = name, list[str]()
    while module not in modules():
        module, _, part = module.rpartition(".")
        parts.insert(0, part)
        if not module:
            return False
    value: object = importlib.import_module(module)
    for part in parts:
        if not hasattr(value, part):
            return False
        value = getattr(value, part)
    return True


@pytest.mark.parametrize("page", [REPLAY, BEHAVIOUR], ids=lambda page: page.name)
def test_every_section_names_the_tests_that_hold_it(page: Path) -> None:
    without = [
        number
        for number, text in sections_of(page).items()
        if not any(path.startswith("tests/") for path in paths_in(text.partition("Tests:")[2]))
    ]
    assert without == []


def test_there_are_twelve_rules() -> None:
    assert list(sections_of(ARCHITECTURE)) == list(range(1, 13))


def test_the_layout_lists_every_folder_of_code() -> None:
    listed = [code_in(row[0])[0] for row in table_under(ARCHITECTURE, "The layout")]
    folders = {
        str(module.path.parent.relative_to(REPOSITORY))
        for module in modules().values()
        if module.is_package
    }
    missing, gone = folders - {*listed}, {*listed} - folders
    assert not missing, f"docs/design/architecture.md, 'The layout', lacks a row for: {missing}"
    assert not gone, f"docs/design/architecture.md, 'The layout', lists what is gone: {gone}"
    assert len(listed) == len(set(listed))


def layer_row(layer: Layer) -> str:
    """A layer as a row of the page."""

    def codes(names: tuple[str, ...]) -> str:
        return "; ".join(f"`{name}`" if "." in name else name for name in names)

    prefixes = "; ".join(f"`{name}`" for name in layer.prefixes)
    return f"| {layer.name} | {prefixes} | {codes(layer.may_import) or 'nothing of ours'} |"


def test_the_table_of_layers_is_the_one_that_is_checked() -> None:
    table = "\n".join(
        ["| layer | modules | may import |", "|---|---|---|", *map(layer_row, LAYERS), ""]
    )
    text = ARCHITECTURE.read_text(encoding="utf-8")
    before, begin, rest = text.partition(LAYERS_BEGIN)
    drawn_layers, end, after = rest.partition(LAYERS_END)
    assert begin
    assert end
    if UPDATE:
        ARCHITECTURE.write_text(before + begin + table + end + after, encoding="utf-8")
        return
    assert drawn_layers == table, "run UPDATE_GOLDENS=1 pytest tests/docs/test_design.py"


def test_the_states_of_one_agent_are_all_kinds_of_state_in_their_order() -> None:
    listed = [code_in(row[0]) for row in table_under(ARCHITECTURE, "One agent, lowered")]
    assert listed == [[kind.value] for kind in StateKind]


def test_the_words_stand_in_the_code() -> None:
    rows = table_under(ARCHITECTURE, "Words")
    assert len(rows) > 20
    for row in rows:
        [name] = code_in(row[-1])
        assert is_there(name), f"the word '{row[0]}' stands at {name}, which is not there"


def test_the_words_to_avoid_are_refused_as_names_of_modules() -> None:
    _, _, rest = prose_of(ARCHITECTURE).partition("Not for our own code:")
    sentence = words(rest.partition(". A test")[0]).replace("*node* and *edge*, ", "")
    avoided = {word.strip("* ") for word in sentence.split(",")}
    assert avoided <= VAGUE_NAMES


def test_the_families_of_codes_are_those_in_use() -> None:
    listed = {row[0] for row in table_under(ARCHITECTURE, "Diagnostics")}
    assert listed == {check.RULE.code[:3] for check in CHECKS}


def recorded() -> dict[tuple[str, Event], str]:
    """The table of payloads: by kind of work and event, the name of a class or ``nothing``."""
    table = {}
    for kind, cell in table_under(REPLAY, "3. Payloads"):
        for part in cell.split("; "):
            events, _, brought = part.partition(": ")
            for event in code_in(events):
                table[code_in(kind)[0], Event(event)] = brought.strip("`")
    return table


def test_the_table_of_payloads_has_every_way_in_which_work_can_end() -> None:
    ways = {(kind.value, event) for kind, events in OUTCOMES.items() for event in events}
    assert recorded().keys() == {way for way in ways if way[1] is not Event.FAILED}
    for name in {*recorded().values()} - {"nothing"}:
        assert hasattr(payloads, name) or hasattr(step_payloads, name)


def test_only_a_wait_cannot_fail() -> None:
    """The page says so in words."""
    assert [kind.value for kind in OUTCOMES if Event.FAILED not in OUTCOMES[kind]] == ["wait"]


async def test_the_recorded_workflows_bring_what_the_table_of_payloads_says(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    table, seen, wrong = recorded(), set[tuple[str, Event]](), list[str]()
    perform = Work.perform

    async def watched(bench: Workbench, command: Perform) -> Outcome:
        outcome = await perform(bench, command)
        way, brought = (command.phase.kind.value, outcome.event), type(outcome.payload).__name__
        seen.add(way)
        if table.get(way, "Failure") != brought.replace("NoneType", "nothing"):
            wrong.append(f"{way[0]} {way[1]} brings {brought}")
        return outcome

    monkeypatch.setattr(Work, "perform", staticmethod(watched))
    for name in sorted(SCENARIOS.keys() - NO_RUN):
        await uncut(SCENARIOS[name], streamed=False)
    assert not wrong, wrong
    assert len(seen) > len(table) * 2 / 3
