"""`agentgraph check --fix` and `--diff`: what changes in a file, and what never does."""

from __future__ import annotations

import ast
import io
import json
import os
import stat
import tokenize
from collections.abc import Iterator
from pathlib import Path
from textwrap import dedent

import pytest

from agentgraph.cli.fixing.placing import edits_of
from agentgraph.cli.fixing.plan import contents_of, plan_of, replaced
from agentgraph.cli.fixing.rounds import check_and_fix
from agentgraph.cli.fixing.source import SourceFile
from agentgraph.cli.linting.outcome import FileOutcome, Outcome
from agentgraph_compiler.diagnostics import (
    Change,
    Diagnostic,
    Fix,
    NewArgument,
    NewHandoff,
    Origin,
    Renaming,
    Rule,
    Severity,
)
from tests.cli.command import EXAMPLES, FIXTURES, agentgraph, written

RULE = Rule("AG999", "wrong-thing", Severity.WARNING, "A wrong thing.")
FILE = "flow.py"


def after(before: str, change: Change) -> str | None:
    """The source after a change; `None` if nothing changes."""
    source = SourceFile(FILE, dedent(before).lstrip("\n").encode())
    edits = edits_of(source, change)
    content = source.edited(edits) if edits else None
    return None if content is None else content.decode()


def described(line: int, agent: str = "B") -> NewArgument:
    return NewArgument(Origin(FILE, line), agent, "handoff_description", "Bills.")


def back(source: tuple[int, str], target: tuple[int, str]) -> NewHandoff:
    return NewHandoff(Origin(FILE, source[0]), source[1], Origin(FILE, target[0]), target[1])


@pytest.mark.parametrize(
    ("before", "expected"),
    [
        ('b = Agent(name="B")', 'b = Agent(name="B", handoff_description="Bills.")'),
        ('b = Agent("B", tools=[])', 'b = Agent("B", handoff_description="Bills.", tools=[])'),
        (
            'b = Agent[C](name="B", tools=[])  # billing',
            'b = Agent[C](name="B", handoff_description="Bills.", tools=[])  # billing',
        ),
        (
            'b = Agent(\n    name="B",  # bills\n    # No tools.\n    tools=[],\n)\n',
            'b = Agent(\n    name="B",  # bills\n    handoff_description="Bills.",\n'
            "    # No tools.\n    tools=[],\n)\n",
        ),
        (
            'b = Agent(\n\tname="B"  # bills\n)\n',
            'b = Agent(\n\tname="B",  # bills\n\thandoff_description="Bills.",\n)\n',
        ),
        ('b = a.clone(name="B")', 'b = a.clone(name="B", handoff_description="Bills.")'),
    ],
)
def test_an_argument_is_added_after_the_name(before: str, expected: str) -> None:
    assert after(before, described(1)) == expected


@pytest.mark.parametrize(
    "before",
    [
        "b = Agent(name=NAME)",
        'b = Agent(name="Other")',
        'b = Agent(name="B", handoff_description="It is there.")',
        'b = Agent(name="B", **options)',
        'x = [Agent(name="B"), Agent(name="B")]',
        'w = Workflow("B")',
    ],
)
def test_a_call_that_is_not_unmistakable_is_left_alone(before: str) -> None:
    assert after(before, described(1)) is None


@pytest.mark.parametrize(
    ("before", "change", "expected"),
    [
        (
            'a = Agent(name="A")\nb = Agent(name="B")\n',
            back((2, "B"), (1, "A")),
            'a = Agent(name="A")\nb = Agent(name="B", handoffs=[a])\n',
        ),
        (
            'b = Agent(name="B")\na = Agent(name="A", handoffs=[b])  # first\nrun(a)\n',
            back((1, "B"), (2, "A")),
            'b = Agent(name="B")\na = Agent(name="A", handoffs=[b])  # first\n'
            "b.handoffs.append(a)\nrun(a)\n",
        ),
        (
            'def make():\n    b = Agent(name="B")\n    a = Agent(name="A", handoffs=[b])\n'
            "    return a",
            back((2, "B"), (3, "A")),
            'def make():\n    b = Agent(name="B")\n    a = Agent(name="A", handoffs=[b])\n'
            "    b.handoffs.append(a)\n    return a",
        ),
        (
            'a = Agent(name="A")\nb = Agent(name="B", handoffs=[])',
            back((2, "B"), (1, "A")),
            'a = Agent(name="A")\nb = Agent(name="B", handoffs=[a])',
        ),
        (
            'a = Agent(name="A")\nb = Agent(name="B", handoffs=[c, d])',
            back((2, "B"), (1, "A")),
            'a = Agent(name="A")\nb = Agent(name="B", handoffs=[c, d, a])',
        ),
        (
            'a = Agent(name="A")\nb = Agent(\n    name="B",\n    handoffs=[\n        c,  # one\n'
            "        d  # two\n    ],\n)\n",
            back((2, "B"), (1, "A")),
            'a = Agent(name="A")\nb = Agent(\n    name="B",\n    handoffs=[\n        c,  # one\n'
            "        d,  # two\n        a,\n    ],\n)\n",
        ),
        (
            'b = Agent(name="B")\na = Agent(name="A")',
            back((1, "B"), (2, "A")),
            'b = Agent(name="B")\na = Agent(name="A")\nb.handoffs.append(a)\n',
        ),
    ],
)
def test_a_handoff_is_added_where_the_name_of_its_target_is_bound(
    before: str, change: Change, expected: str
) -> None:
    assert after(before, change) == expected


@pytest.mark.parametrize(
    "before",
    [
        'a = Agent(name="A")\nb = Agent(name="B", handoffs=others)',
        'a = Agent(name="A")\nb = Agent(name="B", handoffs=[(c)])',
        'a = Agent(name="A")\nmake(Agent(name="B"))',
        'a = Agent(name="A")\nb = Agent(name="B")\nb = 2',
        'a = Agent(name="A")\ndef f():\n    b = Agent(name="B")',
    ],
)
def test_a_handoff_without_a_sure_place_is_not_added(before: str) -> None:
    line = before[: before.index('"B"')].count("\n") + 1
    assert after(before, back((line, "B"), (1, "A"))) is None


def test_a_handoff_is_not_appended_behind_another_statement() -> None:
    before = 'b = Agent(name="B")\na = Agent(name="A"); run(a)\n'
    assert after(before, back((1, "B"), (2, "A"))) is None


@pytest.mark.parametrize(
    ("before", "argument", "expected"),
    [
        ("stop(['serch'])", "use", "stop(['search'])"),
        ("stop(['serch', 'serch_all'])", "use", "stop(['search', 'serch_all'])"),
        ('"Ask serch ' + 'first."', "use", '"Ask search first."'),
        ("stop(['serch', 'serch'])", "use", None),
        ("stop([SERCH])", "use", None),
        ("stop(['serch'])", "other", None),
    ],
)
def test_a_name_in_a_text_is_renamed_where_it_stands_once(
    before: str, argument: str, expected: str | None
) -> None:
    change = Renaming(Origin(FILE, 1), "serch", "search", "A", argument)
    call = 'Agent(name="A", use={})'
    result = after(call.format(before), change)
    assert result == (None if expected is None else call.format(expected))


def test_a_misspelt_keyword_is_fixed_and_the_rest_of_the_file_stays(tmp_path: Path) -> None:
    text = (
        "# Zürich\r\nfrom agentgraph import Agent\r\n"
        'a = Agent(name="é",instruction = "x" )  # a\r\n'
    )
    file = tmp_path / FILE
    file.write_bytes(text.encode())
    file.chmod(0o640)
    preview = agentgraph("check", file, "--diff")
    assert (preview.status, file.read_bytes()) == (1, text.encode())
    assert '+a = Agent(name="é",instructions = "x" )  # a' in preview.out.splitlines()
    assert "1 finding can be fixed" in preview.err
    done = agentgraph("check", file, "--fix")
    assert done.status == 0
    assert f"fixed {file}:3: AG906 rename 'instruction' to 'instructions'" in done.err
    assert file.read_bytes() == text.replace("instruction ", "instructions ").encode()
    assert stat.S_IMODE(file.stat().st_mode) == 0o640
    assert os.listdir(tmp_path) == [FILE]
    again = agentgraph("check", file, "--fix")
    assert (again.status, again.err) == (0, "")
    assert agentgraph("check", file, "--diff").status == 0


def test_a_file_in_another_encoding_keeps_it(tmp_path: Path) -> None:
    text = "# coding: latin-1\nfrom agentgraph import Agent\na = Agent(name='é', instruction='ü')\n"
    file = tmp_path / FILE
    file.write_bytes(text.encode("latin-1"))
    agentgraph("check", file, "--fix")
    assert file.read_bytes() == text.replace("instruction=", "instructions=").encode("latin-1")


def test_a_keyword_with_two_close_names_or_a_taken_one_is_left_to_a_person(tmp_path: Path) -> None:
    source = """
    from agentgraph import Agent
    a = Agent(name="A", instructions="x", instruction="y")
    """
    file = written(tmp_path, FILE, source)
    before = file.read_bytes()
    assert agentgraph("check", file, "--fix").status == 1
    assert file.read_bytes() == before


FIXED = [
    (
        """
        from agentgraph import Agent
        billing = Agent(name="Billing")
        refunds = Agent(name="Refunds", handoff_description="Money back")
        triage = Agent(name="Triage", handoffs=[billing, refunds])
        """,
        'billing = Agent(name="Billing")',
        'billing = Agent(name="Billing", '
        'handoff_description="TODO: say when to hand over to Billing.")',
    ),
    (
        """
        from agentgraph import Agent
        faq = Agent(name="FAQ", instructions="If you cannot, transfer back to the triage agent.")
        triage = Agent(name="Triage", handoffs=[faq])
        """,
        'triage = Agent(name="Triage", handoffs=[faq])',
        'triage = Agent(name="Triage", handoffs=[faq])\nfaq.handoffs.append(triage)',
    ),
    (
        """
        from agentgraph import Agent, function_tool
        @function_tool
        def look_up_order(number: str) -> str:
            "Look up where an order is."
            return number
        agent = Agent(
            name="Orders",
            instructions="Call `look_up_ordr` for each number, then answer.",  # always
            tools=[look_up_order],
        )
        """,
        "Call `look_up_ordr` for",
        "Call `look_up_order` for",
    ),
    (
        """
        from agentgraph import Agent, function_tool
        @function_tool
        def send_invoice(order: str) -> str:
            "Send an invoice."
            return order
        agent = Agent(
            name="Billing",
            tools=[send_invoice],
            tool_use_behavior={"stop_at_tool_names": ["send_invoic"]},
        )
        """,
        '"send_invoic"',
        '"send_invoice"',
    ),
    (
        """
        from agentgraph import Agent, ModelSettings, function_tool
        @function_tool
        def verify_name(name: str) -> str:
            "Verify a name."
            return name
        agent = Agent(
            name="Desk",
            tools=[verify_name],
            model_settings=ModelSettings(tool_choice="verify_nam"),
        )
        """,
        '"verify_nam"',
        '"verify_name"',
    ),
]


@pytest.mark.parametrize(("source", "before", "expected"), FIXED)
def test_what_a_rule_offers_resolves_its_finding(
    tmp_path: Path, source: str, before: str, expected: str
) -> None:
    file = written(tmp_path, FILE, source)
    text = file.read_text()
    report = agentgraph("check", file, "--format", "json").out
    fixable = [one["code"] for one in json.loads(report)["diagnostics"] if one["fix"]]
    assert len(fixable) == 1
    assert agentgraph("check", file, "--fix").status == 0
    assert file.read_text() == text.replace(before, expected) != text
    again = json.loads(agentgraph("check", file, "--format", "json").out)["diagnostics"]
    assert not [one for one in again if one["code"] in fixable]


def test_a_way_back_that_two_agents_could_be_is_left_to_a_person(tmp_path: Path) -> None:
    source = """
    from agentgraph import Agent
    faq = Agent(name="FAQ", instructions="If you cannot, transfer back to the agent before you.")
    sales = Agent(name="Sales", handoffs=[faq])
    triage = Agent(name="Triage", handoffs=[faq, sales])
    """
    report = agentgraph("check", written(tmp_path, FILE, source), "--format", "json").out
    fixes = {one["code"]: one["fix"] for one in json.loads(report)["diagnostics"]}
    assert fixes["AG210"] is None


def finding(path: Path, change: Change) -> Diagnostic:
    return Diagnostic(RULE, "wrong", change.origin, fix=Fix("mend it", (change,)))


def test_fixes_that_touch_each_other_wait_for_the_next_round(tmp_path: Path) -> None:
    file = written(tmp_path, FILE, 'b = Agent(name="B")\n')
    first = NewArgument(Origin(str(file), 1), "B", "handoff_description", "x")
    second = NewArgument(Origin(str(file), 1), "B", "instructions", "y")
    (plan,) = plan_of([finding(file, one) for one in (first, second)], contents_of([str(file)]))
    assert plan.content == b'b = Agent(name="B", handoff_description="x")\n'
    assert len(plan.fixed) == 1


def test_a_file_that_changed_since_it_was_read_is_left_alone(tmp_path: Path) -> None:
    file = written(tmp_path, FILE, 'b = Agent(name="B")\n')
    change = NewArgument(Origin(str(file), 1), "B", "handoff_description", "x")

    def check() -> Outcome:
        file.write_text("# another program\n")
        return Outcome((), (finding(file, change),))

    _, fixes = check_and_fix(check, lambda: [str(file)])
    assert (fixes.made, fixes.changed) == ([], [str(file)])
    assert file.read_text() == "# another program\n"


def test_a_fix_after_which_the_file_cannot_be_loaded_is_undone(tmp_path: Path) -> None:
    file = written(tmp_path, FILE, 'b = Agent(name="B")\n')
    change = NewArgument(Origin(str(file), 1), "B", "handoff_description", "x")

    def check() -> Outcome:
        broken = "handoff_description" in file.read_text()
        status = "not loadable" if broken else "checked"
        seen = FileOutcome(str(file), status, files=(str(file),))
        return Outcome((seen,), () if broken else (finding(file, change),))

    outcome, fixes = check_and_fix(check, lambda: [str(file)])
    assert (fixes.made, fixes.taken_back) == ([], [str(file)])
    assert file.read_text() == 'b = Agent(name="B")\n'
    assert outcome.files[0].status == "checked"


def test_a_replacement_follows_a_link_and_refuses_other_content(tmp_path: Path) -> None:
    file = written(tmp_path, FILE, "one\n")
    link = tmp_path / "link.py"
    link.symlink_to(file)
    (path,) = contents_of([str(link)])
    assert not replaced(path, b"two\n", b"three\n")
    assert replaced(path, b"one\n", b"three\n")
    assert (link.is_symlink(), file.read_text()) == (True, "three\n")


SOURCES = sorted(
    [
        *EXAMPLES.rglob("*.py"),
        *FIXTURES.rglob("*.py"),
    ]
)


def changes_for(source: SourceFile) -> Iterator[Change]:
    """Every kind of change for every agent of a file."""
    agents = [
        (keyword.value.value, node)
        for node in ast.walk(source.tree)
        if isinstance(node, ast.Call)
        for keyword in node.keywords
        if keyword.arg == "name"
        and isinstance(keyword.value, ast.Constant)
        and isinstance(keyword.value.value, str)
    ]
    for name, call in agents:
        origin = Origin(source.path, call.lineno)
        yield NewArgument(origin, name, "handoff_description", 'A "quoted" text, naïve.')
        for keyword in call.keywords:
            if keyword.arg:
                yield Renaming(Origin(source.path, keyword.lineno), keyword.arg, "renamed")
        yield Renaming(origin, name, "Renamed", name, "name")
        for other, target in agents:
            yield NewHandoff(origin, name, Origin(source.path, target.lineno), other)


def comments(content: bytes) -> list[str]:
    tokens = tokenize.tokenize(io.BytesIO(content).readline)
    return [token.string for token in tokens if token.type == tokenize.COMMENT]


def test_no_fix_makes_a_file_unparsable_or_loses_a_comment_or_comes_twice() -> None:
    made = 0
    for path in SOURCES:
        source = SourceFile(str(path), path.read_bytes())
        for change in changes_for(source):
            edits = edits_of(source, change)
            if not edits:
                continue
            made += 1
            content = source.edited(edits)
            assert content is not None, (path, change)
            assert comments(content) == comments(source.content), (path, change)
            if isinstance(change, NewArgument | Renaming):
                assert not edits_of(SourceFile(str(path), content), change), (path, change)
    assert made > 100
