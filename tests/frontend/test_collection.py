"""The collector of cyclic garbage rests during a compilation, and then is as it was before."""

from __future__ import annotations

import gc
from collections.abc import Iterator

import pytest

from agentgraph import Agent, check
from agentgraph.frontend.collection import collector_paused


@pytest.fixture(autouse=True)
def collector() -> Iterator[None]:
    yield
    gc.enable()


def test_the_collector_is_off_inside_and_on_after_an_error() -> None:
    @collector_paused()
    def fail() -> None:
        raise ValueError(str(gc.isenabled()))

    with pytest.raises(ValueError, match="False"):
        fail()
    assert gc.isenabled()


def test_a_program_that_has_turned_it_off_finds_it_off() -> None:
    gc.disable()
    check(Agent(name="A"))
    assert not gc.isenabled()


def test_a_check_makes_no_collection() -> None:
    agents = [Agent(name=f"A{n}") for n in range(200)]
    first = Agent(name="First", handoffs=agents)
    gc.collect()
    before = gc.get_stats()[0]["collections"]
    check(first)
    assert gc.get_stats()[0]["collections"] - before <= 1  # the first one after the pause
