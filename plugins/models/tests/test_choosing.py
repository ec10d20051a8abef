"""Which HTTP client is used."""

from __future__ import annotations

import pickle

import pytest
from llmeval_models.openai.provider import ServerProvider
from llmeval_models.openai.wires.by_aiohttp import AiohttpWire
from llmeval_models.openai.wires.by_asyncio import AsyncioWire
from llmeval_models.openai.wires.choosing import open_wire
from llmeval_models.settings import ServerSettings
from pydantic import ValidationError

from .conftest import Http


@pytest.mark.parametrize(
    ("settings", "expected"),
    [
        (ServerSettings(base_url="http://gpu:8000/v1"), AsyncioWire),
        (ServerSettings(base_url="http://gpu:8000/v1", http="aiohttp"), AiohttpWire),
        (ServerSettings(base_url="http://gpu:8000/v1", trust_env=True), AiohttpWire),
        (ServerSettings(base_url="https://api.example/v1"), AiohttpWire),
        (ServerSettings(base_url="https://api.example/v1", http="asyncio"), AsyncioWire),
    ],
)
async def test_our_own_client_asks_servers_that_are_near(
    settings: ServerSettings, expected: type
) -> None:
    wire = open_wire(settings, {})

    assert type(wire) is expected
    await wire.aclose()


def test_our_own_client_says_that_it_knows_no_proxies() -> None:
    with pytest.raises(ValidationError, match="`http: asyncio` knows no proxies"):
        ServerSettings(http="asyncio", trust_env=True)


def test_the_choice_changes_neither_identity_nor_endpoint() -> None:
    by_default = ServerProvider(ServerSettings()).describe("m")

    assert ServerProvider(ServerSettings(http="asyncio")).describe("m") == by_default


def test_a_provider_that_was_used_can_still_be_pickled(http: Http) -> None:
    provider = ServerProvider(ServerSettings(http=http))
    provider.describe("m")

    again = pickle.loads(pickle.dumps(provider))

    assert again.describe("m") == provider.describe("m")
