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
        "AgentDefinitionError AgentsException BudgetExceeded InputGuardrailTripwireTriggered "
        "MachineChanged MCPToolCancellationError MaxTurnsExceeded ModelBehaviorError "
        "ModelRefusalError "
        "ModelTimeoutError OutputGuardrailTripwireTriggered RoutingError RunErrorDetails "
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
        "ModelResponse QuestionItem ReasoningItem RunItem TResponseInputItem ToolApprovalItem "
        "ToolCallItem ToolCallOutputItem ToolSearchCallItem ToolSearchOutputItem"
    ),
    "lifecycle": "AgentHooks RunHooks",
    "logger": "enable_verbose_stdout_logging",
    "memory": (
        "OpenAIConversationsSession OpenAIResponsesCompactionArgs "
        "OpenAIResponsesCompactionAwareSession OpenAIResponsesCompactionSession "
        "SQLiteSession Session SessionABC SessionSettings "
        "is_openai_responses_compaction_aware_session"
    ),
    "memory.journals": (
        "ClaimLost InMemoryJournal JournalError JournalStore RunInProgress SQLiteJournal StoredRun "
        "UnknownRun"
    ),
    "model_settings": "ModelSettings",
    "models.fallback": "FallbackModel",
    "models.interface": "Model ModelProvider ModelTracing",
    "models.multi_provider": "MultiProvider",
    "models.openai_chatcompletions": "OpenAIChatCompletionsModel",
    "models.openai_provider": "OpenAIProvider",
    "models.openai_responses": (
        "OpenAIResponsesModel OpenAIResponsesWSModel OpenAIResponsesWebSocketOptions"
    ),
    "openai_defaults": (
        "set_default_openai_api set_default_openai_client set_default_openai_key "
        "set_default_openai_responses_transport"
    ),
    "responses_websocket_session": "ResponsesWebSocketSession responses_websocket_session",
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
    "running.retention": "prune_runs",
    "stream_events": (
        "AgentUpdatedStreamEvent RawResponsesStreamEvent RunItemStreamEvent StreamEvent"
    ),
    "authoring.suppression": "allow",
    "tool": (
        "ApplyPatchEditor ApplyPatchOperation ApplyPatchResult ApplyPatchTool CodeInterpreterTool "
        "ComputerProvider ComputerTool CustomTool CustomToolCustomDataContext "
        "CustomToolCustomDataExtractor FileSearchTool FunctionTool FunctionToolCustomDataContext "
        "FunctionToolCustomDataExtractor FunctionToolResult HostedMCPTool ImageGenerationTool "
        "ImageGenerationToolConfig LocalShellCommandRequest LocalShellExecutor LocalShellTool "
        "MCPToolApprovalFunction MCPToolApprovalFunctionResult MCPToolApprovalRequest "
        "ProgrammaticToolCallingTool ShellActionRequest ShellCallData ShellCallOutcome "
        "ShellCommandOutput ShellCommandRequest ShellExecutor ShellResult ShellTool "
        "ShellToolContainerAutoEnvironment ShellToolContainerNetworkPolicy "
        "ShellToolContainerNetworkPolicyAllowlist ShellToolContainerNetworkPolicyDisabled "
        "ShellToolContainerNetworkPolicyDomainSecret ShellToolContainerReferenceEnvironment "
        "ShellToolContainerSkill ShellToolEnvironment ShellToolHostedEnvironment "
        "ShellToolInlineSkill ShellToolInlineSkillSource ShellToolLocalEnvironment "
        "ShellToolLocalSkill ShellToolSkillReference Tool ToolCaller ToolOrigin ToolOriginType "
        "ToolOutputFileContent "
        "ToolOutputFileContentDict ToolOutputImage ToolOutputImageDict ToolOutputText "
        "ToolOutputTextDict ToolSearchTool WebSearchTool WebSearchToolImageSettings "
        "default_tool_error_function dispose_resolved_computers resolve_computer "
        "tool_namespace"
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
    "workflow": (
        "Branches End QuestionStep Workflow all_of at_least below between first_of output_of quorum"
    ),
    "tracing": (
        "AgentSpanData CustomSpanData FunctionSpanData GenerationSpanData GuardrailSpanData "
        "HandoffSpanData MCPListToolsSpanData ResponseSpanData Span SpanData SpanError "
        "SpeechGroupSpanData SpeechSpanData TaskSpanData Trace TracingProcessor "
        "TranscriptionSpanData TurnSpanData add_trace_processor agent_span custom_span "
        "flush_traces function_span gen_span_id gen_trace_id generation_span get_current_span "
        "get_current_trace guardrail_span handoff_span mcp_tools_span response_span "
        "set_trace_processors set_trace_provider set_tracing_disabled set_tracing_export_api_key "
        "speech_group_span speech_span task_span trace transcription_span turn_span"
    ),
}
_MODULE_OF = {name: module for module, names in _NAMES_OF.items() for name in names.split()}

__all__ = sorted(_MODULE_OF)

# Programs import these from the SDK too. `import *` leaves them out, so that it loads no client.
_OF_THE_CLIENT = ("AsyncOpenAI", "OpenAI")


def __getattr__(name: str) -> object:
    module = _MODULE_OF.get(name)
    if module is not None:
        module = f"{__name__}.{module}"
    elif name in _OF_THE_CLIENT:
        module = "openai"
    else:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value: object = getattr(import_module(module), name)
    # The next use of the name reads the global and does not call this function.
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *_MODULE_OF, *_OF_THE_CLIENT})


class _Module(ModuleType):
    """A module of this package, whose missing names answer with a sentence."""

    def __getattr__(self, name: str) -> object:
        if name.startswith("_"):
            raise AttributeError(f"module {self.__name__!r} has no attribute {name!r}")
        raise _absent_names().missing_name(self, name, sys._getframe(1))

    def __setattr__(self, name: str, value: object) -> None:
        # The import system sets a module that it has loaded on the package around it.
        if type(value) is ModuleType and value.__name__ == f"{self.__name__}.{name}":
            value.__class__ = _Module
        super().__setattr__(name, value)


class _Package(_Module):
    """This package: loading the module `apply_diff` does not hide the function of that name."""

    def __setattr__(self, name: str, value: object) -> None:
        if name not in _MODULE_OF or not isinstance(value, ModuleType):
            super().__setattr__(name, value)


class _AbsentModules:
    """Answers with a sentence for a module that only the published SDK has.

    The import system asks it last, so a module that is here never comes this way.
    """

    @staticmethod
    def find_spec(name: str, path: object = None, target: object = None) -> None:
        below = name.removeprefix(f"{__name__}.")
        sentence = None if below == name else _absent_names().missing_module(below)
        if sentence is not None:
            raise ModuleNotFoundError(sentence, name=name)


def _absent_names() -> ModuleType:
    return import_module(f"{__name__}.authoring.absent_names")


sys.modules[__name__].__class__ = _Package
sys.meta_path.append(_AbsentModules)
