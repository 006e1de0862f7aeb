"""`Scrubber`: no secret enters a recording, and nothing else is lost."""

from __future__ import annotations

import json

import pytest

from agentgraph import UserError
from agentgraph.testing import Scrubber

SECRETS = [
    "sk-abcdefghijklmnopqrstuvwx",
    "sk-proj-abc_defghijklmnopqrstuv",
    "ghp_abcdefghijklmnopqrstuvwxyz0123",
    "xoxb-1234567890-abcdef",
    "AKIAABCDEFGHIJKLMNOP",
    "AIzaSyabcdefghijklmnopqrstuvwxyz01234",
    "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.abcdefgh",
    "-----BEGIN RSA PRIVATE KEY-----\nMIIE\n-----END RSA PRIVATE KEY-----",
]


@pytest.mark.parametrize("secret", SECRETS)
def test_a_key_of_a_provider_is_replaced_in_running_text(secret: str) -> None:
    assert Scrubber().text(f"use {secret}, please") == "use [scrubbed], please"


@pytest.mark.parametrize(
    ("text", "scrubbed"),
    [
        ("Authorization: Bearer abc123def456", "Authorization:[scrubbed]"),
        ("send Bearer abc123def456 with it", "send Bearer [scrubbed] with it"),
        ("https://me:hunter22@db.example/x", "https://[scrubbed]@db.example/x"),
        ("GET /a?api_key=abc&b=1", "GET /a?api_key=[scrubbed]&b=1"),
        ("password: hunter22", "password:[scrubbed]"),
    ],
)
def test_headers_and_addresses_lose_their_secrets(text: str, scrubbed: str) -> None:
    assert Scrubber().text(text) == scrubbed


def test_what_stands_under_the_name_of_a_secret_is_replaced_in_data_and_in_json_texts() -> None:
    data = {"X-API-Key": "a", "headers": {"authorization": ["b"]}, "client_secret": {"x": "c"}}
    arguments = '{"password": "d", "user": "ü"}'

    assert Scrubber().data({**data, "arguments": arguments}) == {
        "X-API-Key": "[scrubbed]",
        "headers": {"authorization": ["[scrubbed]"]},
        "client_secret": {"x": "[scrubbed]"},
        "arguments": '{"password": "[scrubbed]", "user": "ü"}',
    }


def test_counts_of_tokens_and_pieces_of_text_are_no_secrets() -> None:
    data = {
        "input_tokens": 5,
        "max_tokens": 7,
        "logprobs": [{"token": "Hello", "logprob": -0.5}],
        "text": "the secret of good tokens",
        "arguments": '{"a":1}',
        "type": "token",
    }
    assert Scrubber().data(data) == data


def test_own_patterns_keys_and_a_function_add_to_the_usual_secrets() -> None:
    scrubber = Scrubber(
        patterns=[r"\bORD-\d+"], keys=["IBAN"], function=lambda text: text.replace("Ada", "A.")
    )
    data = {"text": "Ada ordered ORD-7 with sk-abcdefghijklmnopqrstuvwx", "iban": "CH93"}

    assert scrubber.data(data) == {
        "text": "A. ordered [scrubbed] with [scrubbed]",
        "iban": "[scrubbed]",
    }


def test_scrubbing_again_changes_nothing() -> None:
    once = Scrubber().data({"key": json.dumps({"token": "t"}), "text": f"Bearer {SECRETS[0]}"})
    assert Scrubber().data(once) == once


def test_a_pattern_that_is_none_is_refused() -> None:
    with pytest.raises(UserError, match="no regular expression"):
        Scrubber(patterns=["("])
