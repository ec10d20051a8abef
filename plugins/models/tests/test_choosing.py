"""Which HTTP client is used."""

from __future__ import annotations

import pickle

import pytest
from llmeval_models.openai.provider import ServerProvider
from llmeval_models.openai.wires.by_aiohttp import AiohttpWire
from llmeval_models.openai.wires.by_asyncio import AsyncioWire
from llmeval_models.openai.wires.choosing import open_wire
from llmeval_models.settings import ServerSettings

from .conftest import Http


@pytest.mark.parametrize(
    ("http", "trust_env", "expected"),
    [
        ("auto", False, AsyncioWire),
        ("auto", True, AiohttpWire),
        ("aiohttp", False, AiohttpWire),
    ],
)
async def test_proxies_and_those_who_want_it_get_aiohttp(
    http: Http, trust_env: bool, expected: type
) -> None:
    wire = open_wire(ServerSettings(http=http, trust_env=trust_env), {})

    assert type(wire) is expected
    await wire.aclose()


def test_the_choice_changes_neither_identity_nor_endpoint() -> None:
    by_default = ServerProvider(ServerSettings()).describe("m")

    assert ServerProvider(ServerSettings(http="aiohttp")).describe("m") == by_default


def test_a_provider_that_was_used_can_still_be_pickled(http: Http) -> None:
    provider = ServerProvider(ServerSettings(http=http))
    provider.describe("m")

    again = pickle.loads(pickle.dumps(provider))

    assert again.describe("m") == provider.describe("m")
