"""Calls of the models of servers while a test forbids them."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from agentgraph import UserError
from agentgraph.testing import (
    ScriptedModel,
    allow_model_calls,
    assistant_message,
    no_model_calls,
)
from tests.models.model_calls import events, get
from tests.models.paths import PATHS, Path

NOWHERE = "http://127.0.0.1:9/v1"


@pytest.mark.parametrize("path", PATHS, ids=lambda path: path.name)
@pytest.mark.parametrize("call", [get, events])
async def test_a_model_of_a_server_is_refused_with_its_name_and_what_forbids_it(
    path: Path, call: Callable[..., Awaitable[Any]]
) -> None:
    async with path.model(NOWHERE, "none") as model:
        with (
            no_model_calls("the test"),
            pytest.raises(UserError, match=r"model-x' at http://127\.0\.0\.1.*the test forbids"),
        ):
            await call(model)


async def test_a_scripted_model_replies_and_an_allowed_call_goes_out() -> None:
    async with PATHS[0].model(NOWHERE, "none") as model:
        with no_model_calls():
            await get(ScriptedModel([[assistant_message("Done.")]]))
            with allow_model_calls(), pytest.raises(Exception, match="Connection error"):
                await get(model)
            with pytest.raises(UserError, match="forbids"):
                await get(model)
