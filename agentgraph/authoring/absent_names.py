"""What a name that is not here answers: a near match, or where the documents speak of it.

Loaded only when a name is missing. A test compares the table with the published package and with
docs/coming-from-the-sdk.md, so that it lists exactly what the SDK has and this package has not.
"""

from __future__ import annotations

import sys
from difflib import get_close_matches
from dis import opmap
from types import FrameType, ModuleType
from typing import Final

__all__ = ["ABSENT", "PAGE", "anchor_of", "missing_module", "missing_name"]

PAGE: Final = "docs/coming-from-the-sdk.md"

# By the section of the page: modules, and names in modules, by their path below the package. An
# entry stands for all that lies below it.
ABSENT: Final[dict[str, str]] = {
    "sandboxes": (
        "sandbox extensions.sandbox run_config.SandboxArchiveLimits "
        "run_config.SandboxConcurrencyLimits run_config.SandboxRunConfig testing.sandbox "
        "testing.InvalidSandboxStep testing.SandboxCall testing.SandboxCallMatcherError "
        "testing.SandboxScriptError testing.SandboxStepSpec testing.ScriptedSandboxSession "
        "testing.UnconsumedSandboxSteps testing.UnexpectedSandboxCall "
        "testing.scripted_sandbox_session"
    ),
    "realtime-and-voice": "realtime voice",
    "experiments-of-the-sdk": "extensions.experimental",
    "registration-of-agents": (
        "OpenAIAgentRegistrationConfig models.OpenAIAgentRegistrationConfig "
        "models.openai_agent_registration set_default_openai_agent_registration "
        "set_default_openai_harness"
    ),
    "later-work": (
        "AgentToolInvocation "
        "result.AgentToolInvocation ApplyPatchToolCustomDataContext "
        "ApplyPatchToolCustomDataExtractor ComputerToolCustomDataContext "
        "ComputerToolCustomDataExtractor tool.ApplyPatchToolCustomDataContext "
        "tool.ComputerToolCustomDataContext "
        "tracing.traces.ReattachedTrace tracing.traces.TraceState tracing.traces.reattach_trace"
    ),
    "workings-of-the-sdk": (
        "run_internal util agent_tool_state agent_tool_input.AgentAsToolInput "
        "extensions.models.any_llm_model.InternalChatCompletionMessage "
        "extensions.models.litellm_model.InternalChatCompletionMessage "
        "extensions.models.litellm_model.InternalToolCall "
        "extensions.models.litellm_model.LitellmConverter items.T "
        "items.coerce_tool_search_call_raw_item items.coerce_tool_search_output_raw_item "
        "mcp.server.T models.chatcmpl_converter models.chatcmpl_helpers "
        "models.chatcmpl_stream_handler models.openai_client_utils "
        "models.openai_provider.shared_http_client "
        "retry.retry_policy_retries_all_transient_errors "
        "retry.retry_policy_retries_safe_transport_errors run_state.TAction run_state.TAgent "
        "run_state.TContext "
        "tool.ensure_function_tool_supports_responses_only_features "
        "tool.ensure_tool_choice_supports_backend tool.get_function_tool_responses_only_features "
        "tool.has_required_tool_search_surface tool.has_responses_tool_search_surface "
        "tool.is_required_tool_search_surface tool.is_responses_tool_search_surface "
        "tool.maybe_invoke_function_tool_failure_error_function "
        "tool.prune_orphaned_tool_search_tools tool.resolve_function_tool_failure_error_function "
        "tool.set_function_tool_failure_error_function "
        "tool.validate_responses_programmatic_tool_calling_configuration "
        "tool.validate_responses_tool_search_configuration "
        "tool.with_function_tool_failure_error_handler tracing.config.include_task_and_turn_spans "
        "tracing.context.create_trace_for_run tracing.logger tracing.model_tracing "
        "tracing.scope.Scope tracing.traces.NO_OP_TRACE"
    ),
}


def anchor_of(path: str) -> str | None:
    """Return the section of the page that speaks of a name.

    Args:
        path: The path of a module or name below the package: `models.interface.Model`.
    """
    for anchor, entries in ABSENT.items():
        for entry in entries.split():
            if path == entry or path.startswith(f"{entry}."):
                return anchor
    return None


def missing_module(path: str) -> str | None:
    """Return what to say of a module that is not here, if the published SDK has it.

    Args:
        path: The path of the module below the package.
    """
    anchor = anchor_of(path)
    return (
        None if anchor is None else f"agentgraph.{path} is not in agentgraph: see {PAGE}#{anchor}"
    )


def missing_name(module: ModuleType, name: str, caller: FrameType) -> Exception:
    """Make the error for a name that a module does not have.

    Args:
        module: The module, the package itself or a module of it.
        name: The name.
        caller: The frame that asks. `from module import name` replaces an `AttributeError` with an
            `ImportError` of its own that says nothing, so it gets an `ImportError`.
    """
    package, _, below = module.__name__.partition(".")
    sentence = missing_module(f"{below}.{name}" if below else name)
    if sentence is None:
        sentence = f"module {module.__name__!r} has no attribute {name!r}"
        sentence += _hint(module, name, sys.modules[package])
    if caller.f_lasti >= 0 and caller.f_code.co_code[caller.f_lasti] == opmap["IMPORT_FROM"]:
        return ImportError(sentence, name=module.__name__, path=module.__file__)
    return AttributeError(sentence, name=name, obj=module)


def _hint(module: ModuleType, name: str, package: ModuleType) -> str:
    if module is not package and name in dir(package):
        return f". It is in {package.__name__}"
    names = {*dir(module), *getattr(module, "__all__", ())}
    here = sorted(each for each in names if not each.startswith("_"))
    same = [each for each in here if each.lower() == name.lower()]
    near = same or get_close_matches(name, here, n=1, cutoff=0.75)
    return f". Did you mean {near[0]!r}?" if near else ""
