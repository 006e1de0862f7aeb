"""The fixture that fails a test for what it leaves behind, and for nothing of an earlier test."""

from __future__ import annotations

import gc

import pytest
from openai import AsyncOpenAI

from tests.api.leaks import nothing_is_left, running

__all__ = ["nothing_is_left"]


@pytest.fixture
def client_left_open() -> None:
    """Leave garbage that starts a task of the loop in which it is collected."""
    client = AsyncOpenAI(api_key="no key")
    client.itself = client  # type: ignore[attr-defined]


@pytest.mark.usefixtures("client_left_open", "nothing_is_left")
async def test_a_client_that_an_earlier_test_left_open_is_no_task_of_this_one() -> None:
    gc.collect()
    assert running() == set()
