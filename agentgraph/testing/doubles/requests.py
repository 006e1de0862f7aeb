"""What a model is asked, as text that a person compares: the sections of a request, and their
differences."""

from __future__ import annotations

import json
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from difflib import unified_diff
from typing import Any, Literal, TypeAlias, get_args

from agentgraph.exceptions import UserError
from agentgraph.models.model_call import ModelCall
from agentgraph.running.recorded import RecordedCall
from agentgraph.testing.doubles.scrubbing import Scrubber

__all__ = ["Section", "SectionedRequest", "checked_sections", "names_on_offer"]

Section: TypeAlias = Literal["instructions", "input", "tools", "settings"]
"""A part of a request: the instructions, the input items, the names of tools and handoffs, and the
settings of the call."""


@dataclass(frozen=True, slots=True)
class SectionedRequest:
    """A request in sections.

    Attributes:
        sections: The text of each section; one that is not recorded is missing.
    """

    sections: Mapping[str, str]

    @classmethod
    def of_call(cls, call: ModelCall, scrubber: Scrubber) -> SectionedRequest:
        """The request of a call, without secrets."""
        return cls(
            {
                "instructions": scrubber.text(call.system_instructions or ""),
                "input": _items_text(call.input, scrubber),
                "tools": "\n".join(names_on_offer(call)),
                "settings": _settings_text(call.model_settings, scrubber),
            }
        )

    @classmethod
    def of_recorded(cls, call: RecordedCall, scrubber: Scrubber) -> SectionedRequest:
        """The request of a recorded call, as far as it is recorded."""
        sections = {}
        if call.request is not None:
            sections["instructions"] = scrubber.text(call.request.instructions or "")
            sections["tools"] = "\n".join(call.request.offered)
            sections["settings"] = _settings_text(call.request.settings, scrubber)
        if call.input is not None:
            sections["input"] = _items_text(call.input, scrubber)
        return cls(sections)

    def differing(self, other: SectionedRequest, sections: Collection[str]) -> list[str]:
        """The sections in which two requests differ, of those that both have."""
        return [
            name
            for name in get_args(Section)
            if name in sections
            and name in self.sections
            and name in other.sections
            and self.sections[name] != other.sections[name]
        ]

    def difference(self, other: SectionedRequest, sections: Collection[str]) -> str:
        """A unified diff of some sections, from this request to another one."""
        return "\n".join(line for name in sections for line in self._diff(other, name))

    def _diff(self, other: SectionedRequest, name: str) -> Iterator[str]:
        before, after = self.sections[name].split("\n"), other.sections[name].split("\n")
        yield from unified_diff(before, after, f"{name} (recorded)", f"{name} (asked)", lineterm="")


def checked_sections(sections: Collection[str]) -> frozenset[str]:
    """The names of sections.

    Raises:
        UserError: There is no such section.
    """
    for name in sections:
        if name not in get_args(Section):
            raise UserError(
                f"match_on: a request has no section {name!r}; it has"
                f" {', '.join(get_args(Section))}."
            )
    return frozenset(sections)


def names_on_offer(call: ModelCall) -> list[str]:
    """The names of the tools and handoffs of a call, in their order."""
    return [*(tool.name for tool in call.tools), *(one.tool_name for one in call.handoffs)]


def _items_text(input: str | Sequence[object], scrubber: Scrubber) -> str:
    items: Sequence[object] = (
        [{"role": "user", "content": input}] if isinstance(input, str) else input
    )
    plain = [scrubber.data(_plain(item)) for item in items]
    return json.dumps(plain, indent=2, ensure_ascii=False, sort_keys=True)


def _plain(item: object) -> Any:
    """An item as JSON data. A server that stores no reasoning gets it without its id, and the
    journal keeps the id, so it does not count."""
    data = json.loads(json.dumps(item, default=_dumped))
    if isinstance(data, dict) and data.get("type") == "reasoning":
        data.pop("id", None)
    return data


def _dumped(value: object) -> Any:
    dump = getattr(value, "model_dump", None)
    return repr(value) if dump is None else dump(mode="json", exclude_unset=True, warnings=False)


def _settings_text(settings: object, scrubber: Scrubber) -> str:
    stated = {
        name: value
        for name, value in sorted(vars(settings).items())
        # Headers and other extras are not recorded, and the policy of retries is code.
        if value is not None and not name.startswith("extra_") and name != "retry"
    }
    plain = json.loads(json.dumps(stated, default=_dumped))
    return json.dumps(scrubber.data(plain), indent=2, ensure_ascii=False, sort_keys=True)
