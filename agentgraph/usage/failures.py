"""The usage of a reply that came after failed attempts."""

from __future__ import annotations

from agentgraph.usage import RequestUsage, Usage

__all__ = ["with_failures"]


def with_failures(usage: Usage, failures: int) -> Usage:
    """Return a usage that counts failed attempts, none of which reported tokens.

    Args:
        usage: The usage of the reply.
        failures: How many requests failed before it.
    """
    if not failures:
        return usage
    total = Usage(requests=failures)
    total.request_usage_entries = [
        RequestUsage(
            input_tokens=0,
            output_tokens=0,
            total_tokens=0,
            input_tokens_details=total.input_tokens_details,
            output_tokens_details=total.output_tokens_details,
        )
        for _ in range(failures)
    ]
    total.add(usage)
    return total
