"""The pytest plugin of agentgraph (entry point `agentgraph` of the group `pytest11`).

pytest imports this module in every project where agentgraph is installed, so it imports nothing of
ours: a hook or a fixture loads what it needs once an option or a test asks for it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from importlib import import_module
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from agentgraph.testing.model import ScriptedModel

_COVERAGE = "agentgraph.testing.coverage.session"
_MODEL_CALLS = "agentgraph.models.gate.calls"
_SCRIPTED_MODEL = "agentgraph.testing.model"


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add the options of the command line and of the ini file."""
    group = parser.getgroup("agentgraph", "agentgraph: coverage of agent workflows")
    group.addoption(
        "--agentgraph-cov",
        action="append",
        nargs="?",
        const="",
        default=[],
        metavar="SOURCE",
        help="measure which agents, handoffs, tools, guardrails, states and transitions the runs of"
        " the tests meet; SOURCE limits it to a folder, or to a workflow that is measured even if"
        " no test runs it: FILE, FILE:NAME or a module (several times)",
    )
    group.addoption(
        "--agentgraph-cov-report",
        action="append",
        default=[],
        metavar="TYPE",
        help="term, term-missing, json[:PATH], html[:DIR], or nothing for no report (several"
        " times; default: term)",
    )
    group.addoption(
        "--agentgraph-cov-fail-under",
        type=float,
        default=None,
        metavar="MIN",
        help="fail if less than MIN percent is covered",
    )
    group.addoption(
        "--agentgraph-cov-no-simulated",
        action="store_true",
        default=False,
        help="count no run of stand-ins: explore, walk, play and routing_test",
    )
    group.addoption(
        "--no-agentgraph-cov",
        action="store_true",
        default=False,
        help="measure no coverage, whatever the other options say",
    )
    parser.addini(
        "agentgraph_model_calls",
        "whether tests may call real models: allow (default) or forbid",
        default="allow",
    )


def pytest_configure(config: pytest.Config) -> None:
    """Register the markers, and the plugins that the options ask for."""
    for marker in (
        "allow_model_calls: the test may call real models where the project forbids it",
        "no_agentgraph_cov: the runs of the test do not count for --agentgraph-cov",
    ):
        config.addinivalue_line("markers", marker)
    calls = config.getini("agentgraph_model_calls")
    if calls not in ("allow", "forbid"):
        raise pytest.UsageError(f"agentgraph_model_calls is {calls!r}; it is 'allow' or 'forbid'.")
    if calls == "forbid":
        config.pluginmanager.register(_ModelCallsForbidden(), "agentgraph-model-calls")
    option = config.option
    if option.agentgraph_cov and not (option.no_agentgraph_cov or option.collectonly):
        plugin = import_module(_COVERAGE).plugin_for(config)
        config.pluginmanager.register(plugin, "agentgraph-coverage")


class _ModelCallsForbidden:
    """Forbids calls of real models during each test, its fixtures included."""

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_protocol(self, item: pytest.Item) -> Iterator[None]:
        """Forbid calls, or allow them if the test has the marker."""
        calls = import_module(_MODEL_CALLS)
        allowed = item.get_closest_marker("allow_model_calls") is not None
        forbidden = calls.no_model_calls("the setting agentgraph_model_calls")
        with calls.allow_model_calls() if allowed else forbidden:
            return (yield)


@pytest.fixture
def no_model_calls(request: pytest.FixtureRequest) -> Iterator[None]:
    """Forbid calls of real models during the test; a model that is called raises a `UserError`.

    `usefixtures("no_model_calls")` forbids them for a class or a module, the setting
    `agentgraph_model_calls = "forbid"` for all tests; the marker `allow_model_calls` allows them
    again for one test.
    """
    calls = import_module(_MODEL_CALLS)
    if request.node.get_closest_marker("allow_model_calls") is not None:
        yield
        return
    with calls.no_model_calls("the fixture no_model_calls"):
        yield


@pytest.fixture
def scripted_model(request: pytest.FixtureRequest) -> Iterator[Callable[..., ScriptedModel]]:
    """Make `ScriptedModel`s: `scripted_model(steps, ...)` takes the arguments of the class.

    A test that passes must have used up the steps of all models that it made, else its teardown
    raises `UnconsumedModelSteps`.
    """
    models: list[ScriptedModel] = []
    failed_before = request.session.testsfailed

    def make(*arguments: object, **options: object) -> ScriptedModel:
        model: ScriptedModel = import_module(_SCRIPTED_MODEL).ScriptedModel(*arguments, **options)
        models.append(model)
        return model

    yield make
    if request.session.testsfailed == failed_before:
        for model in models:
            model.assert_complete()
