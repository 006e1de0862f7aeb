"""Our functions have the parameters of the published SDK, in the same order.

`sdk_signatures.txt` was read off SDK 0.24. What differs on purpose stands in `ON_PURPOSE`.
"""

from __future__ import annotations

import importlib
import inspect
import json
from pathlib import Path

import pytest

TABLE = Path(__file__).with_name("sdk_signatures.txt")

# Parameter by parameter: `None` where we have no such parameter, else its default here.
ON_PURPOSE: dict[str, dict[str, str | None]] = {
    # Sandboxes are out of scope.
    "RunConfig": {
        "sandbox": None,
        # The layers: the default provider is made above the configuration.
        "model_provider": "null",
    },
    # Tools are told apart by their qualified names; there are no other keys.
    "RunContextWrapper.get_rejection_message": {"tool_lookup_key*": None},
    # There a marker stands for "not given"; the values that it leads to are these.
    "ModelRetryNormalizedError": {
        **dict.fromkeys(
            ("status_code", "error_code", "message", "request_id", "retry_after"), "null"
        ),
        **dict.fromkeys(("is_abort", "is_network_error", "is_timeout"), "false"),
    },
}


ADDED = {
    ("AgentUpdatedStreamEvent", "step*"),
    ("Handoff", "returns*"),
    ("ModelResponse", "answered_by*"),
    ("ModelSettings", "truncated_text*"),
    ("RawResponsesStreamEvent", "step*"),
    ("RunConfig", "journal*"),
    ("RunItemStreamEvent", "step*"),
    ("handoff", "returns*"),
}
"""Parameters that the SDK does not have."""


def rows() -> list[tuple[str, str, list[str]]]:
    results = []
    for line in TABLE.read_text(encoding="utf-8").splitlines():
        if line and not line.startswith("#"):
            module, _, signature = line.partition(" ")
            name, _, parameters = signature.removesuffix(")").partition("(")
            results.append((module, name, parameters.split(", ") if parameters else []))
    return results


def expected(name: str, theirs: list[str]) -> list[str]:
    changes = ON_PURPOSE.get(name, {})
    ours = []
    for parameter in theirs:
        bare = parameter.partition("=")[0]
        change = changes.get(bare, parameter)
        if change is not None:
            ours.append(f"{bare}={change}" if bare in changes else parameter)
    return ours


def described(name: str, module: str) -> list[str]:
    value = importlib.import_module(f"agentgraph.{module}")
    for part in name.split("."):
        value = getattr(value, part)
    assert callable(value)
    return [
        _parameter(each)
        for each in inspect.signature(value).parameters.values()
        if each.name != "self" and not each.name.startswith("_")
    ]


def _parameter(each: inspect.Parameter) -> str:
    name = f"{each.name}*" if each.kind is each.KEYWORD_ONLY else each.name
    default = each.default
    if default is each.empty:
        return name
    plain = default is None or isinstance(default, bool | int | float | str)
    return f"{name}={json.dumps(default) if plain else 'made'}"


@pytest.mark.parametrize(("module", "name", "theirs"), rows())
def test_parameters_are_those_of_the_sdk(module: str, name: str, theirs: list[str]) -> None:
    ours = [each for each in described(name, module) if (name, bare(each)) not in ADDED]
    assert ours == expected(name, theirs)


def bare(parameter: str) -> str:
    return parameter.partition("=")[0]


def test_a_parameter_that_the_sdk_does_not_have_is_passed_by_keyword() -> None:
    assert all(parameter.endswith("*") for _, parameter in ADDED)
    for module, name, _ in rows():
        own = {bare(each) for each in described(name, module)}
        assert {parameter for owner, parameter in ADDED if owner == name} <= own


def test_every_difference_on_purpose_is_about_a_parameter_of_the_sdk() -> None:
    parameters_of = {name: {p.partition("=")[0] for p in theirs} for _, name, theirs in rows()}
    assert {(name, parameter) for name, changed in ON_PURPOSE.items() for parameter in changed} <= {
        (name, parameter) for name, parameters in parameters_of.items() for parameter in parameters
    }
