"""The `require_approval` setting of a server: which tools' calls a person must approve.

Rule: the setting is checked when the server is made. A tool that it does not name needs no
approval.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final, Literal, TypeAlias

from typing_extensions import TypedDict

from agentgraph.exceptions import UserError
from agentgraph.run_context import RunContextWrapper
from agentgraph.tools.function import ToolApproval
from agentgraph.user_code.callbacks import MaybeAwaitable, resolve

if TYPE_CHECKING:
    from mcp.types import Tool as MCPTool

    from agentgraph.agent import AgentBase

__all__ = [
    "ApprovalPolicy",
    "LocalMCPApprovalCallable",
    "RequireApprovalMapping",
    "RequireApprovalObject",
    "RequireApprovalPolicy",
    "RequireApprovalSetting",
    "RequireApprovalToolList",
    "read_approval",
]

RequireApprovalPolicy: TypeAlias = Literal["always", "never"]
"""Whether calls need approval."""

RequireApprovalMapping: TypeAlias = dict[str, RequireApprovalPolicy]
"""The policy of each tool, by its name on the server."""

LocalMCPApprovalCallable: TypeAlias = Callable[
    [RunContextWrapper[Any], Any, "MCPTool"], MaybeAwaitable[bool]
]
"""Decides, from the run's context, the agent and the tool, whether a call needs approval."""


class RequireApprovalToolList(TypedDict, total=False):
    """Tools of a server.

    Attributes:
        tool_names: Their names on the server.
    """

    tool_names: list[str]


class RequireApprovalObject(TypedDict, total=False):
    """Tools by policy, in the form of hosted MCP tools.

    Attributes:
        always: The tools whose calls need approval.
        never: The tools whose calls need none.
    """

    always: RequireApprovalToolList
    never: RequireApprovalToolList


RequireApprovalSetting: TypeAlias = (
    RequireApprovalPolicy
    | RequireApprovalObject
    | RequireApprovalMapping
    | LocalMCPApprovalCallable
    | bool
    | None
)
"""Every form of the setting; `None` means that no tool needs approval."""

_POLICIES: Final[Mapping[str, bool]] = {"always": True, "never": False}


@dataclass(frozen=True, slots=True)
class ApprovalPolicy:
    """A checked setting, in one form.

    Args:
        default: Whether a tool that `by_tool` does not name needs approval.
        by_tool: Whether a tool needs approval, by its name.
        decide: A function that decides instead of `default` and `by_tool`.
    """

    default: bool = False
    by_tool: Mapping[str, bool] = field(default_factory=dict)
    decide: LocalMCPApprovalCallable | None = None

    def for_tool(self, tool: MCPTool, agent: AgentBase[Any] | None) -> ToolApproval:
        """Return the rule for one tool, in the form of a function tool's `needs_approval`.

        Args:
            tool: The tool, as the server lists it.
            agent: The agent that may call it; `None` means the agent of each call.
        """
        decide = self.decide
        if decide is None:
            return self.by_tool.get(tool.name, self.default)

        async def needs_approval(
            context: RunContextWrapper[Any], arguments: dict[str, Any], call_id: str
        ) -> bool:
            caller = agent if agent is not None else getattr(context, "agent", None)
            # `decide` needs the agent. If it is unknown, a person must approve the call.
            return caller is None or bool(await resolve(decide(context, caller, tool)))

        return needs_approval


def read_approval(setting: RequireApprovalSetting) -> ApprovalPolicy:
    """Check a setting in any of its forms.

    Args:
        setting: The program's value of `require_approval`.

    Raises:
        UserError: The setting has none of the forms; the message names the wrong part.
    """
    if setting is None or isinstance(setting, bool):
        return ApprovalPolicy(default=bool(setting))
    if callable(setting):
        return ApprovalPolicy(decide=setting)
    if not isinstance(setting, Mapping):
        return ApprovalPolicy(default=_policy(setting, "require_approval"))
    if _is_by_policy(setting):
        names_of = {policy: _tool_names(setting, policy) for policy in ("never", "always")}
        # A tool in both lists needs approval: of two contrary policies the safer one holds.
        return ApprovalPolicy(
            by_tool={
                name: _POLICIES[policy] for policy, names in names_of.items() for name in names
            }
        )
    return ApprovalPolicy(
        by_tool={
            name: _policy(policy, f"require_approval[{name!r}]") for name, policy in setting.items()
        }
    )


def _is_by_policy(setting: Mapping[Any, Any]) -> bool:
    return any(isinstance(setting.get(policy), Mapping) for policy in _POLICIES)


def _tool_names(setting: Mapping[Any, Any], policy: str) -> list[str]:
    tools = setting.get(policy, {})
    names = tools.get("tool_names", []) if isinstance(tools, Mapping) else None
    if not isinstance(names, (list, tuple)) or not all(isinstance(name, str) for name in names):
        raise UserError(
            f"require_approval[{policy!r}] must be {{'tool_names': [...]}} with names of tools, "
            f"not {tools!r}."
        )
    return list(names)


def _policy(value: object, place: str) -> bool:
    if not isinstance(value, str) or value not in _POLICIES:
        raise UserError(f"{place} must be 'always' or 'never', not {value!r}.")
    return _POLICIES[value]
