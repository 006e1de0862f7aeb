"""The page for people who read `run --json` with a program says what is printed."""

from __future__ import annotations

import dataclasses
import re
from typing import get_args

from agentgraph.cli.run_events import RunEvent
from tests.cli.command import REPOSITORY

PAGE = REPOSITORY / "docs" / "command-line.md"


def test_the_table_of_events_names_every_event_with_its_fields() -> None:
    table = PAGE.read_text(encoding="utf-8").split("| `event` | fields |")[1].split("\n\n")[0]
    documented = {
        event: re.findall(r"`(\w+)`", fields)
        for event, fields in re.findall(r"^\| `(\w+)` \| (.+) \|$", table, flags=re.MULTILINE)
    }
    assert documented == {
        kind.event: [field.name for field in dataclasses.fields(kind)]
        for kind in get_args(RunEvent)
    }
