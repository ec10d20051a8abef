"""Which HTTP client is used."""

from __future__ import annotations

import pickle

import pytest
from llmeval_models.http.transports.aiohttp_transport import AiohttpTransport
from llmeval_models.http.transports.asyncio_transport import AsyncioTransport
from llmeval_models.http.transports.transport_choice import open_transport
from llmeval_models.model_settings import OpenAICompatibleSettings
from llmeval_models.openai.openai_provider import OpenAICompatibleProvider
from pydantic import ValidationError

from .conftest import Http


@pytest.mark.parametrize(
    ("settings", "expected"),
    [
        (OpenAICompatibleSettings(base_url="http://gpu:8000/v1"), AsyncioTransport),
        (OpenAICompatibleSettings(base_url="http://gpu:8000/v1", http="aiohttp"), AiohttpTransport),
        (OpenAICompatibleSettings(base_url="http://gpu:8000/v1", trust_env=True), AiohttpTransport),
        (OpenAICompatibleSettings(base_url="https://api.example/v1"), AiohttpTransport),
        (
            OpenAICompatibleSettings(base_url="https://api.example/v1", http="asyncio"),
            AsyncioTransport,
        ),
    ],
)
async def test_our_own_client_asks_servers_that_are_near(
    settings: OpenAICompatibleSettings, expected: type
) -> None:
    transport = open_transport(settings, {})

    assert type(transport) is expected
    await transport.aclose()


def test_our_own_client_says_that_it_knows_no_proxies() -> None:
    with pytest.raises(ValidationError, match="`http: asyncio` knows no proxies"):
        OpenAICompatibleSettings(http="asyncio", trust_env=True)


def test_the_choice_changes_neither_identity_nor_endpoint() -> None:
    by_default = OpenAICompatibleProvider(OpenAICompatibleSettings()).describe("m")

    assert (
        OpenAICompatibleProvider(OpenAICompatibleSettings(http="asyncio")).describe("m")
        == by_default
    )


def test_a_provider_that_was_used_can_still_be_pickled(http: Http) -> None:
    provider = OpenAICompatibleProvider(OpenAICompatibleSettings(http=http))
    provider.describe("m")

    again = pickle.loads(pickle.dumps(provider))

    assert again.describe("m") == provider.describe("m")
