"""Usage only grows, and survives storing."""

from __future__ import annotations

import copy
import pickle
from dataclasses import asdict, replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from openai.types.completion_usage import CompletionTokensDetails, PromptTokensDetails
from openai.types.responses.response_usage import InputTokensDetails, OutputTokensDetails

from agentgraph.usage import (
    RequestUsage,
    Usage,
    deserialize_usage,
    model_usage_to_span_usage,
    serialize_usage,
    task_usage_to_span_data,
    total_usage_to_span_metadata,
    turn_usage_to_span_data,
)
from agentgraph.usage.run_usage import RunUsage

COUNT = st.integers(min_value=0, max_value=10**9)


def usage(
    requests: int = 1, sent: int = 0, received: int = 0, cached: int = 0, reasoned: int = 0
) -> Usage:
    return Usage(
        requests=requests,
        input_tokens=sent,
        output_tokens=received,
        total_tokens=sent + received,
        input_tokens_details=InputTokensDetails(cached_tokens=cached, cache_write_tokens=1),
        output_tokens_details=OutputTokensDetails(reasoning_tokens=reasoned),
    )


USAGE = st.builds(usage, requests=st.integers(0, 5), sent=COUNT, received=COUNT, cached=COUNT)


@given(st.lists(USAGE))
def test_adding_up_sums_every_count(parts: list[Usage]) -> None:
    total = Usage()
    for part in parts:
        total.add(part)
    assert total.requests == sum(part.requests for part in parts)
    assert total.total_tokens == sum(part.total_tokens for part in parts)
    assert total.input_tokens_details.cached_tokens == sum(
        part.input_tokens_details.cached_tokens for part in parts
    )
    assert len(total.request_usage_entries) == sum(
        part.requests == 1 and part.total_tokens > 0 for part in parts
    )


@given(USAGE, USAGE)
def test_what_is_added_is_not_changed(first: Usage, second: Usage) -> None:
    before = serialize_usage(second)
    first.add(second)
    first.add(second)
    assert serialize_usage(second) == before


def test_entries_of_a_nested_run_are_taken_over() -> None:
    nested = Usage()
    nested.add(usage(sent=1))
    nested.add(usage(sent=2))
    total = Usage()
    total.add(nested)
    assert [entry.input_tokens for entry in total.request_usage_entries] == [1, 2]


@pytest.mark.parametrize(
    ("given_details", "cached"),
    [
        (None, 0),
        (PromptTokensDetails(cached_tokens=4), 4),
        (PromptTokensDetails(cached_tokens=None), 0),
        (InputTokensDetails.model_construct(cached_tokens=None), 0),
        ({"cached_tokens": 3}, 3),
    ],
)
def test_details_of_other_kinds_are_brought_into_one_form(given_details: Any, cached: int) -> None:
    details = Usage(input_tokens_details=given_details).input_tokens_details
    assert isinstance(details, InputTokensDetails)
    assert details.cached_tokens == cached


@pytest.mark.parametrize(
    ("given_details", "reasoned"),
    [(None, 0), (CompletionTokensDetails(reasoning_tokens=4), 4), (CompletionTokensDetails(), 0)],
)
def test_output_details_of_other_kinds_are_brought_into_one_form(
    given_details: Any, reasoned: int
) -> None:
    details = Usage(output_tokens_details=given_details).output_tokens_details
    assert isinstance(details, OutputTokensDetails)
    assert details.reasoning_tokens == reasoned


@given(st.lists(USAGE))
def test_stored_usage_reads_back_equal(parts: list[Usage]) -> None:
    total = Usage()
    for part in parts:
        total.add(part)
    assert deserialize_usage(serialize_usage(total)) == total


def test_whatever_is_missing_in_stored_usage_is_zero() -> None:
    assert deserialize_usage({}) == Usage()
    assert deserialize_usage({"requests": 2, "input_tokens_details": None}) == Usage(requests=2)


def test_spans_show_usage_as_numbers() -> None:
    spent = usage(sent=10, received=4, cached=3)
    turn = {
        "input_tokens": 10,
        "output_tokens": 4,
        "cached_input_tokens": 3,
        "cache_write_input_tokens": 1,
    }
    assert turn_usage_to_span_data(spent) == turn
    assert task_usage_to_span_data(spent) == {**turn, "requests": 1, "total_tokens": 14}
    assert total_usage_to_span_metadata(spent) == task_usage_to_span_data(spent)
    assert model_usage_to_span_usage(spent)["input_tokens_details"]["cached_tokens"] == 3


def entry() -> RequestUsage:
    details = InputTokensDetails(cached_tokens=1, cache_write_tokens=2)
    return RequestUsage(3, 4, 7, details, OutputTokensDetails(reasoning_tokens=5))


def reset(entry: RequestUsage) -> None:
    """Set everything that an entry says to something else."""
    entry.input_tokens = entry.output_tokens = entry.total_tokens = 99
    entry.input_tokens_details.cached_tokens = 99
    entry.output_tokens_details.reasoning_tokens = 99


SPENT = {
    "one request": lambda: usage(sent=3, received=4, cached=1, reasoned=5),
    "a total": lambda: Usage(requests=1, total_tokens=7, request_usage_entries=[entry()]),
    "a total of totals": lambda: added(added(usage(sent=3, received=4, cached=1, reasoned=5))),
    "the account of a run": lambda: RunUsage(added(usage(sent=3, received=4))),
}


def added(*parts: Usage) -> Usage:
    total = Usage()
    for part in parts:
        total.add(part)
    return total


class TestEntriesOfTwoTotals:
    @pytest.mark.parametrize("make", SPENT.values(), ids=SPENT)
    def test_share_nothing(self, make: Any) -> None:
        source = make()
        before = copy.deepcopy(source)
        one, other = added(source), added(source)
        for written in one.request_usage_entries:
            reset(written)
        assert asdict(other) == asdict(added(before))
        assert source == before

    @pytest.mark.parametrize("make", SPENT.values(), ids=SPENT)
    def test_do_not_follow_what_they_came_from(self, make: Any) -> None:
        source = make()
        total, before = added(source), added(copy.deepcopy(source))
        for written in source.request_usage_entries:
            reset(written)
        source.input_tokens_details.cached_tokens = 99
        assert total == before

    def test_are_two_where_a_total_is_added_to_itself(self) -> None:
        total = added(usage(sent=3, received=4))
        total.add(total)
        first, second = total.request_usage_entries
        reset(first)
        assert (second.input_tokens, total.requests) == (3, 2)


@pytest.mark.parametrize("form", [copy.copy, copy.deepcopy, replace, lambda it: asdict(it)])
def test_an_entry_of_a_total_is_an_entry_like_another(form: Any) -> None:
    (kept,) = added(Usage(requests=1, request_usage_entries=[entry()])).request_usage_entries
    assert kept == entry()
    assert repr(kept) == repr(entry())
    assert pickle.loads(pickle.dumps(kept)) == entry()
    (again,) = added(Usage(requests=1, request_usage_entries=[entry()])).request_usage_entries
    assert form(again) == form(entry())
    with pytest.raises(AttributeError, match="no attribute 'cost'"):
        _ = again.cost  # type: ignore[attr-defined]


def test_an_entry_keeps_what_the_client_does_not_know() -> None:
    details: Any = InputTokensDetails(cached_tokens=1, cache_write_tokens=2, later=3)  # type: ignore[call-arg]
    total = added(Usage(requests=1, total_tokens=1, input_tokens_details=details))
    kept: Any = total.request_usage_entries[0].input_tokens_details
    assert (kept.later, kept.model_dump()) == (3, details.model_dump())


def test_an_entry_keeps_details_of_a_callers_own() -> None:
    own: Any = {"cached_tokens": [1]}
    spent = usage(sent=3, received=4)
    spent.input_tokens_details = own
    (kept,) = added(spent).request_usage_entries
    own["cached_tokens"].append(2)
    assert kept.input_tokens_details == {"cached_tokens": [1]}


def test_the_account_of_a_run_shows_the_details_of_its_parts() -> None:
    account = RunUsage(added(usage(sent=3, received=4, cached=1, reasoned=5)))
    account.add(usage(sent=1, received=1, cached=1, reasoned=1))
    assert account.input_tokens_details.cached_tokens == 2
    assert account.output_tokens_details.reasoning_tokens == 6
    assert [kept.total_tokens for kept in account.request_usage_entries] == [7, 2]
    assert account.total() == account


def test_details_that_nobody_gave_are_the_clients_own_with_zero_counts() -> None:
    spent = Usage(requests=1, input_tokens=2, output_tokens=1, total_tokens=3)
    assert spent.input_tokens_details == InputTokensDetails(cached_tokens=0, cache_write_tokens=0)
    assert isinstance(spent.output_tokens_details, OutputTokensDetails)
    assert spent.input_tokens_details is spent.input_tokens_details
    assert spent == Usage(
        1, 2, InputTokensDetails(cached_tokens=0, cache_write_tokens=0), 1, total_tokens=3
    )


def test_details_that_were_read_and_changed_stay_changed() -> None:
    spent, total = Usage(requests=1), Usage()
    spent.input_tokens_details.cached_tokens = 5
    total.add(spent)
    assert total.input_tokens_details.cached_tokens == 5


@pytest.mark.parametrize("make", [copy.copy, copy.deepcopy, replace])
def test_a_copy_of_a_usage_equals_it_whether_its_details_were_read_or_not(make: Any) -> None:
    total = Usage()
    total.add(Usage(requests=1, total_tokens=3))
    copied = make(total)
    assert copied == total
    assert asdict(copied) == asdict(total)
    assert copied.request_usage_entries[0].output_tokens_details.reasoning_tokens == 0


def test_adding_the_account_of_other_work_adds_all_that_it_reads_as() -> None:
    account, total = RunUsage(usage(sent=3, cached=2)), Usage()
    account.add(usage(received=1, reasoned=1))
    total.add(account)
    assert serialize_usage(total) == serialize_usage(account)
