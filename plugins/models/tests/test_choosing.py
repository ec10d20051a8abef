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


async def test_a_well_kept_library_carries_the_requests_unless_asked_otherwise() -> None:
    wires = [
        open_wire(settings, {}) for settings in (ServerSettings(), ServerSettings(http="asyncio"))
    ]

    assert [type(wire) for wire in wires] == [AiohttpWire, AsyncioWire]
    for wire in wires:
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
