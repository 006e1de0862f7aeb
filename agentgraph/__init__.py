"""The public names; each is imported from its module at its first use.

`import agentgraph` loads this file and nothing else, so that a program pays only for what it uses.
The table below applies at run time. `__init__.pyi` declares the same names for type checkers, and a
test compares the two.
"""

import sys
from importlib import import_module
from types import ModuleType

_NAMES_OF = {
    "agent": "Agent AgentBase StopAtTools ToolsToFinalOutputFunction ToolsToFinalOutputResult",
    "agent_output": "AgentOutputSchema AgentOutputSchemaBase",
    "agent_tool": "AgentTool AgentToolStreamEvent",
    "computer": "AsyncComputer Button Computer Environment",
    "exceptions": (
        "AgentDefinitionError AgentsException InputGuardrailTripwireTriggered "
        "MCPToolCancellationError MaxTurnsExceeded ModelBehaviorError ModelRefusalError "
        "ModelTimeoutError OutputGuardrailTripwireTriggered RunErrorDetails "
        "ToolInputGuardrailTripwireTriggered ToolOutputGuardrailTripwireTriggered "
        "ToolTimeoutError UserError"
    ),
    "guardrail": (
        "GuardrailFunctionOutput InputGuardrail InputGuardrailResult OutputGuardrail "
        "OutputGuardrailResult input_guardrail output_guardrail"
    ),
    "handoffs": (
        "Handoff HandoffHistoryMapper HandoffInputData HandoffInputFilter "
        "default_handoff_history_mapper get_conversation_history_wrappers handoff "
        "nest_handoff_history reset_conversation_history_wrappers "
        "set_conversation_history_wrappers"
    ),
    "items": (
        "CompactionItem HandoffCallItem HandoffOutputItem InputItem ItemHelpers "
        "MCPApprovalRequestItem MCPApprovalResponseItem MCPListToolsItem MessageOutputItem "
        "ModelResponse ReasoningItem RunItem TResponseInputItem ToolApprovalItem ToolCallItem "
        "ToolCallOutputItem ToolSearchCallItem ToolSearchOutputItem"
    ),
    "lifecycle": "AgentHooks RunHooks",
    "logger": "enable_verbose_stdout_logging",
    "memory": (
        "OpenAIConversationsSession OpenAIResponsesCompactionArgs "
        "OpenAIResponsesCompactionAwareSession SQLiteSession Session SessionABC SessionSettings "
        "is_openai_responses_compaction_aware_session"
    ),
    "model_settings": "ModelSettings",
    "models.interface": "Model ModelProvider ModelTracing",
    "models.multi_provider": "MultiProvider",
    "models.openai_chatcompletions": "OpenAIChatCompletionsModel",
    "models.openai_provider": "OpenAIProvider",
    "models.openai_responses": "OpenAIResponsesModel",
    "openai_defaults": ("set_default_openai_api set_default_openai_client set_default_openai_key"),
    "program": "CompileError Program check compile",
    "prompts": "DynamicPromptFunction GenerateDynamicPromptData Prompt",
    "result": "RunResult RunResultStreaming",
    "retry": (
        "ModelRetryAdvice ModelRetryAdviceRequest ModelRetryBackoffSettings "
        "ModelRetryNormalizedError ModelRetrySettings RetryDecision RetryPolicy "
        "RetryPolicyContext retry_policies"
    ),
    "repl": "run_demo_loop",
    "run": "Runner",
    "run_config": (
        "CallModelData CallModelInputFilter ModelInputData OutputGuardrailBlockedMessageArgs "
        "OutputGuardrailBlockedMessageFormatter ReasoningItemIdPolicy RunConfig "
        "ToolErrorFormatter ToolErrorFormatterArgs ToolExecutionConfig ToolNameCollisionPolicy "
        "ToolNotFoundBehavior"
    ),
    "run_context": "AgentHookContext RunContextWrapper TContext",
    "run_error_handlers": (
        "RunErrorData RunErrorHandler RunErrorHandlerInput RunErrorHandlerResult RunErrorHandlers"
    ),
    "run_state": "RunState",
    "stream_events": (
        "AgentUpdatedStreamEvent RawResponsesStreamEvent RunItemStreamEvent StreamEvent"
    ),
    "authoring.suppression": "allow",
    "tool": (
        "ApplyPatchEditor ApplyPatchOperation ApplyPatchResult ApplyPatchTool "
        "CodeInterpreterTool ComputerTool CustomTool CustomToolCustomDataContext "
        "CustomToolCustomDataExtractor FileSearchTool FunctionTool FunctionToolCustomDataContext "
        "FunctionToolCustomDataExtractor FunctionToolResult "
        "HostedMCPTool ImageGenerationTool LocalShellCommandRequest LocalShellExecutor "
        "LocalShellTool MCPToolApprovalFunction MCPToolApprovalFunctionResult "
        "MCPToolApprovalRequest ShellActionRequest ShellCallData ShellCallOutcome "
        "ShellCommandOutput ShellCommandRequest ShellExecutor ShellResult ShellTool Tool "
        "ToolOutputFileContent ToolOutputFileContentDict ToolOutputImage ToolOutputImageDict "
        "ToolOutputText ToolOutputTextDict WebSearchTool default_tool_error_function "
        "function_tool"
    ),
    "tool_context": "ToolContext",
    "tool_guardrails": (
        "ToolGuardrailFunctionOutput ToolInputGuardrail ToolInputGuardrailData "
        "ToolInputGuardrailResult ToolOutputGuardrail ToolOutputGuardrailData "
        "ToolOutputGuardrailResult tool_input_guardrail tool_output_guardrail"
    ),
    "usage": "RequestUsage Usage",
    # Not from `tool`, which loads every kind of tool.
    "tools.decorator": "function_tool",
    "tools.patch_format": "apply_diff",
    "version": "__version__",
    "workflow": "Workflow",
}
_MODULE_OF = {name: module for module, names in _NAMES_OF.items() for name in names.split()}

__all__ = sorted(_MODULE_OF)


def __getattr__(name: str) -> object:
    module = _MODULE_OF.get(name)
    if module is None:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value: object = getattr(import_module(f"{__name__}.{module}"), name)
    # The next use of the name reads the global and does not call this function.
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *_MODULE_OF})


class _Package(ModuleType):
    """This package: loading the module `apply_diff` does not hide the function of that name."""

    def __setattr__(self, name: str, value: object) -> None:
        if name not in _MODULE_OF or not isinstance(value, ModuleType):
            super().__setattr__(name, value)


sys.modules[__name__].__class__ = _Package
