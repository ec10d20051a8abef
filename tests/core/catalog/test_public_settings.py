"""What a run file's settings look like to people, the journal and trackers."""

from __future__ import annotations

from llmeval_core.catalog.public_settings import public_settings


def test_literal_secrets_are_masked_at_every_depth_and_references_stay() -> None:
    settings = {
        "api_key": "sk-1",
        "max_tokens": 5,
        "headers": {"X-Team": "abc", "Authorization": "Bearer ${KEY}"},
        "extra": [{"password": "p", "n": None}],
        "base_url": "https://me:pw@host/v1",
        "token": "${TOKEN}",
    }

    assert public_settings(settings) == {
        "api_key": "***",
        "max_tokens": 5,
        "headers": {"X-Team": "***", "Authorization": "Bearer ${KEY}"},
        "extra": [{"password": "***", "n": None}],
        "base_url": "https://***@host/v1",
        "token": "${TOKEN}",
    }


def test_secrets_in_a_query_are_hidden() -> None:
    """s09-azure-query-in-base-url."""
    settings = {
        "base_url": "https://a/v1?api-version=1&api_key=sk-1&key=sk-2#x",
        "query": {"api-version": "1", "key": "sk-3", "access_token": "t"},
    }

    assert public_settings(settings) == {
        "base_url": "https://a/v1?api-version=1&api_key=***&key=***#x",
        "query": {"api-version": "1", "key": "***", "access_token": "***"},
    }


def test_a_token_of_a_text_is_no_secret() -> None:
    settings = {"end_token": "</s>", "think_end_token": "</think>", "send_token": "t", "token": "t"}

    assert public_settings(settings) == {
        "end_token": "</s>",
        "think_end_token": "</think>",
        "send_token": "***",
        "token": "***",
    }
