"""Servers that are known by name: the table, its papers, keys and addresses."""

from __future__ import annotations

import pickle
import re
from dataclasses import replace
from pathlib import Path

import pytest
from llmeval_models.openai.completion_request import reasoning_as
from llmeval_models.openai.preset_provider import PresetProvider
from llmeval_models.openai.presets import PRESETS, Preset
from pydantic import SecretStr

from llmeval_core.hooks import ConfigError, GenerationSettings, ModelError
from llmeval_core.testing import make_request

from .conftest import Http, ScriptedServer

README = Path(__file__).parent.parent / "README.md"
BY_NAME = {preset.name: preset for preset in PRESETS}
KEY = "sk-preset-12345"
CHAT = {"choices": [{"message": {"content": "Paris"}, "finish_reason": "stop"}]}


@pytest.fixture
def http() -> Http:
    """One client is enough: what carries the answers is tested elsewhere."""
    return "asyncio"


def provider(preset: Preset, **settings: object) -> PresetProvider:
    return PresetProvider(preset, preset.settings()(**settings))


def row(preset: Preset) -> str:
    """Write the line of the README's table."""
    differs = ", ".join(f"`{name}: {value}`" for name, value in preset.defaults.items())
    address = f"`{preset.address}`" if preset.address else f"`{preset.base_url}`"
    key = f"`{preset.key}`" if preset.key else "none"
    return f"| `{preset.name}/...` | {preset.title} | {address} | {key} | {differs} |"


def test_the_readme_has_the_table() -> None:
    lines = README.read_text(encoding="utf-8").splitlines()
    start = lines.index("| name | whose | address | key from | differs in |")

    assert lines[start + 2 : start + 2 + len(PRESETS)] == [row(preset) for preset in PRESETS]
    assert lines[start + 2 + len(PRESETS)] == ""


@pytest.mark.parametrize("preset", PRESETS, ids=lambda preset: preset.name)
def test_each_has_its_own_defaults_and_they_can_be_changed(preset: Preset) -> None:
    plain = preset.settings()()
    changed = preset.settings()(base_url="http://gateway/v1", stream=True)

    assert plain.base_url == preset.base_url
    for name, value in preset.defaults.items():
        assert getattr(plain, name) == value
    assert (changed.base_url, changed.stream) == ("http://gateway/v1", True)


@pytest.mark.parametrize("preset", PRESETS, ids=lambda preset: preset.name)
async def test_each_asks_with_the_key_of_its_variable(
    server: ScriptedServer, monkeypatch: pytest.MonkeyPatch, preset: Preset
) -> None:
    server.answers(CHAT)
    if preset.key is not None:
        monkeypatch.setenv(preset.key, f" {KEY}\n")
    model = await provider(preset, base_url=server.base_url).open("org/m")
    settings = GenerationSettings(max_tokens=16, seed=3)

    generation = await model.generate(replace(make_request(), settings=settings))

    await model.aclose()
    assert generation.texts == ("Paris",)
    header = str(preset.defaults.get("api_key_header", "Authorization"))
    sent = server.headers[0].get(header)
    bearer = KEY if header == "api-key" else f"Bearer {KEY}"
    assert sent == (bearer if preset.key else None)
    body = server.bodies[0]
    assert body[str(preset.defaults.get("max_tokens_key", "max_tokens"))] == 16
    assert body[str(preset.defaults.get("seed_key", "seed"))] == 3


@pytest.mark.parametrize(
    "preset", [preset for preset in PRESETS if preset.key], ids=lambda preset: preset.name
)
def test_a_missing_key_is_known_before_anything_is_sent(
    monkeypatch: pytest.MonkeyPatch, preset: Preset
) -> None:
    assert preset.key is not None
    monkeypatch.delenv(preset.key, raising=False)
    made = provider(preset, base_url=preset.base_url)

    with pytest.raises(ModelError) as caught:
        made.check("m")

    assert caught.value.kind == "auth"
    assert str(caught.value) == (
        f"{preset.key} is not set\n  try:   export {preset.key}=... or set api_key"
    )
    provider(preset, base_url=preset.base_url, api_key=SecretStr(KEY)).check("m")


@pytest.mark.parametrize("preset", PRESETS, ids=lambda preset: preset.name)
def test_a_key_is_in_nothing_that_is_told(monkeypatch: pytest.MonkeyPatch, preset: Preset) -> None:
    monkeypatch.setenv(preset.key or "NO_KEY_IS_NEEDED", KEY)
    made = provider(preset, base_url=preset.base_url)

    said = f"{made.describe('m')} {made.check('m')} {made} {preset} {preset.settings()()!r}"

    assert KEY not in said


@pytest.mark.parametrize("preset", PRESETS, ids=lambda preset: preset.name)
def test_a_provider_travels_to_another_process(preset: Preset) -> None:
    made = provider(preset, base_url="http://gateway/v1", max_concurrency=3)

    copy = pickle.loads(pickle.dumps(made))

    assert copy.describe("m").max_concurrency == 3
    assert copy.describe("m").cache_key == made.describe("m").cache_key


@pytest.mark.parametrize(
    ("said", "base_url"),
    [
        ("https://me.openai.azure.com/", "https://me.openai.azure.com/openai/v1"),
        ("https://me.openai.azure.com/openai/v1/", "https://me.openai.azure.com/openai/v1"),
        ("https://gateway.example/openai", "https://gateway.example/openai"),
    ],
)
def test_azure_s_address_comes_from_its_variable(
    monkeypatch: pytest.MonkeyPatch, said: str, base_url: str
) -> None:
    monkeypatch.setenv("AZURE_OPENAI_ENDPOINT", said)
    monkeypatch.setenv("AZURE_OPENAI_API_KEY", KEY)
    found = provider(BY_NAME["azure"]).describe("m")
    given = provider(BY_NAME["azure"], base_url=base_url).describe("m")

    assert found == given


def test_azure_without_an_address(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("AZURE_OPENAI_ENDPOINT", raising=False)

    with pytest.raises(ConfigError) as caught:
        provider(BY_NAME["azure"]).describe("m")

    assert str(caught.value) == (
        "azure has no address: AZURE_OPENAI_ENDPOINT is not set\n"
        "  try:   export AZURE_OPENAI_ENDPOINT=... or set base_url, such as "
        "https://YOUR-RESOURCE.openai.azure.com/openai/v1"
    )


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("openrouter", "openrouter"),
        ("gemini_compatible", "gemini"),
        ("anthropic_compatible", "anthropic"),
        ("groq", "openai"),
    ],
)
def test_reasoning_is_asked_for_in_the_maker_s_words(name: str, words: str) -> None:
    assert reasoning_as(BY_NAME[name].settings()()) == words


def test_names_and_variables_are_well_formed() -> None:
    assert len(BY_NAME) == len(PRESETS)
    for preset in PRESETS:
        assert re.fullmatch(r"[a-z_]+", preset.name)
        assert preset.key is None or re.fullmatch(r"[A-Z_]+_API_KEY", preset.key)
        assert preset.key is not None or "localhost" in preset.base_url
