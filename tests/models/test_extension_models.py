"""`LitellmModel` and `AnyLLMModel` without their libraries: names, parameters, missing packages.

What they do with them is in `test_library_models.py`.
"""

from __future__ import annotations

import inspect
import subprocess
import sys

import pytest

from agentgraph import MultiProvider
from agentgraph.exceptions import UserError
from agentgraph.extensions.models import packages
from agentgraph.extensions.models.any_llm_model import AnyLLMModel
from agentgraph.extensions.models.any_llm_provider import AnyLLMProvider
from agentgraph.extensions.models.litellm_model import LitellmModel
from agentgraph.extensions.models.litellm_provider import LitellmProvider


@pytest.mark.parametrize(
    ("name", "class_name", "extra"),
    [("litellm/a/b", "LitellmModel", "litellm"), ("any-llm/a/b", "AnyLLMModel", "any-llm")],
)
def test_a_missing_package_is_an_error_that_names_the_extra(
    monkeypatch: pytest.MonkeyPatch, name: str, class_name: str, extra: str
) -> None:
    monkeypatch.setattr(packages, "find_spec", lambda package: None)
    for kind in (UserError, ImportError):
        with pytest.raises(kind, match=rf'^{class_name} .*"agentgraph-workflows\[{extra}\]"$'):
            MultiProvider().get_model(name)


def test_the_parameters_are_those_of_the_sdk() -> None:
    def parameters(kind: type) -> list[str]:
        return [*inspect.signature(kind).parameters]

    replay = "should_replay_reasoning_content"
    assert parameters(LitellmModel) == ["model", "base_url", "api_key", replay]
    assert parameters(AnyLLMModel) == ["model", "base_url", "api_key", "api"]
    assert parameters(AnyLLMProvider) == ["api_key", "base_url", "api"]
    assert parameters(LitellmProvider) == []


def test_a_library_is_imported_only_for_a_call() -> None:
    program = (
        "import sys\n"
        "from agentgraph.extensions.models import any_llm_provider, litellm_provider\n"
        "from agentgraph.extensions.models import packages\n"
        "packages.find_spec = lambda package: True\n"
        "litellm_provider.LitellmProvider().get_model('a/b')\n"
        "any_llm_provider.AnyLLMProvider().get_model('a/b')\n"
        "print([name for name in ('litellm', 'any_llm', 'openai') if name in sys.modules])\n"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, check=False)
    assert (done.stdout, done.stderr) == (b"[]\n", b"")


@pytest.mark.parametrize("name", ["", "/model", "vendor/"])
def test_a_name_without_vendor_or_model_is_refused(
    monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    monkeypatch.setattr(packages, "find_spec", lambda package: True)
    with pytest.raises(UserError, match="vendor/model"):
        AnyLLMModel(name)


def test_an_api_that_does_not_exist_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(packages, "find_spec", lambda package: True)
    with pytest.raises(UserError, match="no API 'telepathy'"):
        AnyLLMModel("openai/m", api="telepathy")  # type: ignore[arg-type]
