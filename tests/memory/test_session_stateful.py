"""Every local store against a plain list, in any order of operations that Hypothesis thinks of."""

from __future__ import annotations

import asyncio
import tempfile
from pathlib import Path

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule, run_state_machine_as_test

from agentgraph.memory.blocks import Block, append_to_block
from tests.memory.stores import LOCAL, Item, call, local_store, output, user

TEXTS = st.text(max_size=8)
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
        self._session = self._store.open()
        self._neighbour = self._store.open("neighbour")
        # Each item with the run that wrote it, if one did.
        self._written: list[tuple[str, Item]] = []
        self._blocks: dict[str, Block] = {}
        self._runner.run(self._neighbour.add_items([user("neighbour")]))

    @property
    def expected(self) -> list[Item]:
        return [item for _, item in self._written]

    @rule(items=TURNS)
    def add(self, items: list[Item]) -> None:
        self._runner.run(self._session.add_items(items))
        self._written += [("", item) for item in items]

    @rule(run=st.sampled_from("xy"), items=TURNS.filter(bool))
    def append(self, run: str, items: list[Item]) -> None:
        block = self._blocks.get(run)
        self._blocks[run] = self._runner.run(append_to_block(self._session, items, block))
        mine = [entry for entry in self._written if entry[0] == run]
        others = [entry for entry in self._written if entry[0] != run]
        self._written = [*others, *mine, *((run, item) for item in items)]

    @rule()
    def pop(self) -> None:
        popped = self._runner.run(self._session.pop_item())
        assert popped == (self._written.pop()[1] if self._written else None)

    @rule(limit=st.integers(0, 12))
    def get_limited(self, limit: int) -> None:
        latest = self.expected[max(0, len(self._written) - limit) :]
        assert self._runner.run(self._session.get_items(limit)) == latest

    @rule()
    def clear(self) -> None:
        self._runner.run(self._session.clear_session())
        self._written.clear()

    @rule()
    def reopen(self) -> None:
        if self._store.reopens:
            self._runner.run(self._store.close())
            self._session = self._store.open()
            self._neighbour = self._store.open("neighbour")

    @invariant()
    def the_session_holds_what_the_list_holds(self) -> None:
        assert self._runner.run(self._session.get_items()) == self.expected

    @invariant()
    def the_neighbour_is_untouched(self) -> None:
        assert self._runner.run(self._neighbour.get_items()) == [user("neighbour")]

    def teardown(self) -> None:
        self._runner.run(self._store.close())
        self._runner.close()
        self._folder.cleanup()


@pytest.mark.parametrize("name", LOCAL)
def test_a_session_behaves_as_a_list(name: str) -> None:
    run_state_machine_as_test(
        type("Machine", (SessionMachine,), {"name": name}),
        settings=settings(stateful_step_count=20),
    )
