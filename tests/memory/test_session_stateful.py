"""Every local store against a plain list, in any order of operations that Hypothesis thinks of."""

from __future__ import annotations

import asyncio
import tempfile
from pathlib import Path

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule, run_state_machine_as_test

from agentgraph.extensions.memory import SQLAlchemySession
from agentgraph.memory import Session
from agentgraph.memory.runs.blocks import Block, append_to_block
from tests.memory.stores import LOCAL, Item, call, local_store, output, user

TEXTS = st.text(max_size=8)
OTHERS = st.integers(0, 2)
TURNS = st.lists(
    st.one_of(
        st.builds(user, TEXTS),
        st.builds(call, st.sampled_from("abc")),
        st.builds(output, st.sampled_from("abc"), TEXTS),
        st.builds(lambda text: {"role": "assistant", "content": text}, TEXTS),
    ),
    max_size=5,
)


class SessionMachine(RuleBasedStateMachine):
    """The words of a session, and the list that it should be the same as."""

    name: str

    def __init__(self) -> None:
        super().__init__()
        self._folder = tempfile.TemporaryDirectory()
        self._runner = asyncio.Runner()
        self._store = local_store(self.name, Path(self._folder.name))
        self._open()
        # Each item with the run that wrote it, if one did.
        self._written: list[tuple[str, Item]] = []
        self._blocks: dict[str, Block] = {}
        self._runner.run(self._neighbour.add_items([user("neighbour")]))

    def _open(self) -> None:
        self._session = self._store.open()
        self._neighbour = self._store.open("neighbour")
        # Others that write: an object in this program, and one with a connection of its own.
        self._others: list[Session] = [self._session]
        if self._store.reopens:
            self._others.append(self._store.open())
        if self.name in ("sqlite-file", "async-sqlite"):
            url = f"sqlite+aiosqlite:///{self._folder.name}/{self.name}.db"
            self._others.append(SQLAlchemySession.from_url(self._session.session_id, url=url))

    def _close(self) -> None:
        for other in self._others:
            if isinstance(other, SQLAlchemySession):
                self._runner.run(other.close())
        self._runner.run(self._store.close())

    def _other(self, number: int) -> Session:
        return self._others[number % len(self._others)]

    @property
    def expected(self) -> list[Item]:
        return [item for _, item in self._written]

    @rule(items=TURNS, other=OTHERS)
    def add(self, items: list[Item], other: int) -> None:
        self._runner.run(self._other(other).add_items(items))
        self._written += [("", item) for item in items]

    @rule(run=st.sampled_from("xy"), items=TURNS.filter(bool))
    def append(self, run: str, items: list[Item]) -> None:
        block = self._blocks.get(run)
        self._blocks[run] = self._runner.run(append_to_block(self._session, items, block))
        mine = [entry for entry in self._written if entry[0] == run]
        others = [entry for entry in self._written if entry[0] != run]
        self._written = [*others, *mine, *((run, item) for item in items)]

    @rule(other=OTHERS)
    def pop(self, other: int) -> None:
        popped = self._runner.run(self._other(other).pop_item())
        assert popped == (self._written.pop()[1] if self._written else None)

    @rule(limit=st.integers(0, 12))
    def get_limited(self, limit: int) -> None:
        latest = self.expected[max(0, len(self._written) - limit) :]
        assert self._runner.run(self._session.get_items(limit)) == latest

    @rule(other=OTHERS)
    def clear(self, other: int) -> None:
        self._runner.run(self._other(other).clear_session())
        self._written.clear()

    @rule()
    def reopen(self) -> None:
        if self._store.reopens:
            self._close()
            self._open()

    @invariant()
    def the_session_holds_what_the_list_holds(self) -> None:
        assert self._runner.run(self._session.get_items()) == self.expected

    @invariant()
    def the_neighbour_is_untouched(self) -> None:
        assert self._runner.run(self._neighbour.get_items()) == [user("neighbour")]

    def teardown(self) -> None:
        self._close()
        self._runner.close()
        self._folder.cleanup()


@pytest.mark.parametrize("name", LOCAL)
def test_a_session_behaves_as_a_list(name: str) -> None:
    run_state_machine_as_test(
        type("Machine", (SessionMachine,), {"name": name}),
        settings=settings(stateful_step_count=20),
    )
