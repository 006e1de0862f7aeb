"""Tools by which a model runs commands and edits files through the user's executors and editors.

Rule: these are descriptions. The user's executor or editor decides which commands may run and which
files may change. The description of an environment at the provider is passed on unchanged.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, ClassVar, Literal, Protocol, TypeAlias, runtime_checkable

from agentgraph.exceptions import UserError
from agentgraph.run_context import RunContextWrapper
from agentgraph.tools.function import ToolCaller
from agentgraph.tools.hosted import ApprovalAnswer, ConstructedTool
from agentgraph.user_code.callbacks import MaybeAwaitable

if TYPE_CHECKING:
    from agentgraph.items.run_items import ToolApprovalItem

__all__ = [
    "ApplyPatchApprovalFunction",
    "ApplyPatchEditor",
    "ApplyPatchOnApprovalFunction",
    "ApplyPatchOnApprovalFunctionResult",
    "ApplyPatchOperation",
    "ApplyPatchOperationType",
    "ApplyPatchResult",
    "ApplyPatchTool",
    "OnApprovalFunction",
    "ShellActionRequest",
    "ShellApprovalFunction",
    "ShellCallData",
    "ShellCallOutcome",
    "ShellCommandOutput",
    "ShellCommandRequest",
    "ShellExecutor",
    "ShellOnApprovalFunction",
    "ShellOnApprovalFunctionResult",
    "ShellResult",
    "ShellTool",
]


OnApprovalFunction: TypeAlias = Callable[
    [RunContextWrapper[Any], "ToolApprovalItem"], MaybeAwaitable[ApprovalAnswer]
]
"""Answers an approval at once instead of interrupting the run."""


@dataclass
class ShellCallOutcome:
    """How a command ended.

    Attributes:
        type: `exit` if it ended by itself, `timeout` if its time limit ended it.
        exit_code: Its exit code, if it ended by itself.
    """

    type: Literal["exit", "timeout"]
    exit_code: int | None = None


@dataclass
class ShellCommandOutput:
    """What one command wrote and how it ended.

    Attributes:
        stdout: Its standard output.
        stderr: Its standard error.
        outcome: How it ended.
        command: The command, for the user's own records.
        provider_data: Fields that are sent to the API unchanged.
    """

    stdout: str = ""
    stderr: str = ""
    outcome: ShellCallOutcome = field(default_factory=lambda: ShellCallOutcome(type="exit"))
    command: str | None = None
    provider_data: dict[str, Any] | None = None

    @property
    def exit_code(self) -> int | None:
        """The code with which the command ended."""
        return self.outcome.exit_code

    @property
    def status(self) -> Literal["completed", "timeout"]:
        """`timeout` if the time limit ended the command, else `completed`."""
        return "timeout" if self.outcome.type == "timeout" else "completed"


@dataclass
class ShellResult:
    """What all commands of one call did.

    Attributes:
        output: One entry for each command.
        max_output_length: How many characters of all outputs together the model reads. The
            default is the limit that the model set in its `ShellActionRequest`.
        provider_data: Fields that are sent to the API unchanged.
    """

    output: list[ShellCommandOutput]
    max_output_length: int | None = None
    provider_data: dict[str, Any] | None = None


@dataclass
class ShellActionRequest:
    """What the model wants to run.

    Attributes:
        commands: The commands, which may run at the same time.
        timeout_ms: How long each may take, in milliseconds.
        max_output_length: How many characters of output the model wants to read.
    """

    commands: list[str]
    timeout_ms: int | None = None
    max_output_length: int | None = None


@dataclass
class ShellCallData:
    """One call of the shell tool.

    Attributes:
        call_id: The id that the model gave to the call.
        action: What to run.
        status: The status of the call in the API's item.
        raw: The call as the API sent it.
    """

    call_id: str
    action: ShellActionRequest
    status: Literal["in_progress", "completed"] | None = None
    raw: object = None


@dataclass
class ShellCommandRequest:
    """What an executor receives.

    Attributes:
        ctx_wrapper: The context of the run.
        data: The call.
    """

    ctx_wrapper: RunContextWrapper[Any]
    data: ShellCallData


ShellExecutor: TypeAlias = Callable[[ShellCommandRequest], MaybeAwaitable[str | ShellResult]]
"""Runs the commands of one call."""

ShellApprovalFunction: TypeAlias = Callable[
    [RunContextWrapper[Any], ShellActionRequest, str], MaybeAwaitable[bool]
]
"""Decides whether a person must approve a call, from the context, the action and the call's id."""

ShellOnApprovalFunctionResult: TypeAlias = ApprovalAnswer
"""The answer to an approval request of the shell tool."""

ShellOnApprovalFunction: TypeAlias = OnApprovalFunction
"""Answers an approval of a call of the shell tool."""


@dataclass(eq=False)
class ShellTool(ConstructedTool):
    """Lets the model run commands, on this side or in an environment at the provider.

    Attributes:
        executor: Runs the commands on this side.
        name: What the tool is called in results and traces.
        needs_approval: Whether a person must approve a call.
        on_approval: Answers approvals at once.
        environment: Where commands run, in the API's form (`ShellToolEnvironment`); the default is
            this side.
        allowed_callers: Who may call the tool; it goes out in the request.

    Raises:
        UserError: When commands run on this side and there is no executor, or they run at the
            provider and there is one.
    """

    executor: ShellExecutor | None = None
    name: str = "shell"
    needs_approval: bool | ShellApprovalFunction = False
    on_approval: ShellOnApprovalFunction | None = None
    environment: Mapping[str, Any] | None = None
    allowed_callers: list[ToolCaller] | None = field(default=None, kw_only=True)
    _callbacks: ClassVar = {
        "executor": ("the request",),
        "needs_approval": ("the context", "the action", "the id of the call"),
        "on_approval": ("the context", "the approval"),
    }

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.environment is None:
            self.environment = {"type": "local"}
        is_local = self.environment.get("type") == "local"
        if is_local and self.executor is None:
            raise UserError(f"ShellTool {self.name!r} runs on this side and needs an executor.")
        if not is_local and self.executor is not None:
            raise UserError(
                f"ShellTool {self.name!r} runs at the provider and cannot have an executor."
            )

    @property
    def type(self) -> str:
        """The type of the tool parameter of the API."""
        return "shell"


ApplyPatchOperationType: TypeAlias = Literal["create_file", "update_file", "delete_file"]
"""What to do with a file."""


@dataclass
class ApplyPatchOperation:
    """One change of a file that the model asks for.

    Attributes:
        type: What to do with the file.
        path: Where the file is, relative to the editor's folder.
        diff: What to write, in the V4A format that `apply_diff` reads.
        ctx_wrapper: The context of the run.
        move_to: The file's new path, when it is moved.
    """

    type: ApplyPatchOperationType
    path: str
    diff: str | None = None
    ctx_wrapper: RunContextWrapper[Any] | None = None
    move_to: str | None = None


@dataclass
class ApplyPatchResult:
    """The result of a change.

    Attributes:
        status: Whether the change was made; None means that it was.
        output: The text that the model reads.
    """

    status: Literal["completed", "failed"] | None = None
    output: str | None = None


@runtime_checkable
class ApplyPatchEditor(Protocol):
    """Changes files as the model asks."""

    def create_file(
        self, operation: ApplyPatchOperation
    ) -> MaybeAwaitable[ApplyPatchResult | str | None]:
        """Write a new file."""

    def update_file(
        self, operation: ApplyPatchOperation
    ) -> MaybeAwaitable[ApplyPatchResult | str | None]:
        """Change a file that exists."""

    def delete_file(
        self, operation: ApplyPatchOperation
    ) -> MaybeAwaitable[ApplyPatchResult | str | None]:
        """Remove a file."""


ApplyPatchApprovalFunction: TypeAlias = Callable[
    [RunContextWrapper[Any], ApplyPatchOperation, str], MaybeAwaitable[bool]
]
"""Decides whether a person must approve a change, from the context, the operation and the call's
id."""

ApplyPatchOnApprovalFunctionResult: TypeAlias = ApprovalAnswer
"""The answer to an approval request of a change."""

ApplyPatchOnApprovalFunction: TypeAlias = OnApprovalFunction
"""Answers an approval of a change."""


@dataclass(eq=False)
class ApplyPatchTool(ConstructedTool):
    """Lets the model create, change and remove files through an editor.

    Attributes:
        editor: Makes the changes; it decides which files may change.
        name: What the tool is called in results and traces.
        needs_approval: Whether a person must approve a change.
        on_approval: Answers approvals at once.
        allowed_callers: Who may call the tool; it goes out in the request.
    """

    editor: ApplyPatchEditor
    name: str = "apply_patch"
    needs_approval: bool | ApplyPatchApprovalFunction = False
    on_approval: ApplyPatchOnApprovalFunction | None = None
    allowed_callers: list[ToolCaller] | None = field(default=None, kw_only=True)
    _callbacks: ClassVar = {
        "needs_approval": ("the context", "the operation", "the id of the call"),
        "on_approval": ("the context", "the approval"),
    }

    @property
    def type(self) -> str:
        """The type of the tool parameter of the API."""
        return "apply_patch"
