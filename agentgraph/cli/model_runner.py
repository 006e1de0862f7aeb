"""A runner that uses one model for every run of a command."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

from typing_extensions import Unpack

from agentgraph.models.interface import Model
from agentgraph.run import AgentRunner, set_default_agent_runner
from agentgraph.run_config import RunOptions, coerce_run_config
from agentgraph.running.result import RunResult, RunResultStreaming

__all__ = ["every_model_is"]


@contextlib.contextmanager
def every_model_is(model: str | Model | None) -> Iterator[None]:
    """Use one model in all runs, also in those that guardrails and tools begin.

    Args:
        model: The model, or its name; `None` leaves every agent its own.
    """
    if model is None:
        yield
        return
    set_default_agent_runner(_ModelRunner(model))
    try:
        yield
    finally:
        set_default_agent_runner(None)


class _ModelRunner(AgentRunner):
    """Uses one model for all runs, including those inside guardrails and tools.

    Args:
        model: The model, or its name.
    """

    def __init__(self, model: str | Model) -> None:
        self._model = model

    async def run(
        self, starting_agent: Any, input: Any, **kwargs: Unpack[RunOptions[Any]]
    ) -> RunResult:
        """Run with the one model, whatever models the agents name."""
        return await super().run(starting_agent, input, **self._with_model(kwargs))

    def run_streamed(
        self, starting_agent: Any, input: Any, **kwargs: Unpack[RunOptions[Any]]
    ) -> RunResultStreaming:
        """Run streamed with the one model, whatever models the agents name."""
        return super().run_streamed(starting_agent, input, **self._with_model(kwargs))

    def _with_model(self, options: RunOptions[Any]) -> RunOptions[Any]:
        config = coerce_run_config(options.get("run_config"))
        return {**options, "run_config": replace(config, model=self._model)}
