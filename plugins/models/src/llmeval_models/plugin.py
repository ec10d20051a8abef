"""The hooks: which providers and checks this distribution offers.

Loaded at every start of llmeval: what asks models is imported when a provider is made.
"""

from __future__ import annotations

from collections.abc import Iterable
from functools import partial
from pathlib import Path
from typing import Any

from llmeval_core.hooks import Check, CheckOutcome, Component, ModelProvider, hookimpl
from llmeval_models.model_settings import (
    AnthropicSettings,
    EchoSettings,
    GeminiSettings,
    LlamaCppSettings,
    OpenAICompatibleSettings,
    OpenAIResponsesSettings,
    OpenAISettings,
    TransformersSettings,
    VllmSettings,
)
from llmeval_models.openai.presets import PRESETS, Preset


@hookimpl
def llmeval_register_models() -> Iterable[Component[Any, ModelProvider]]:
    """Offer the providers; Any: each has its own settings."""
    yield Component(
        "openai_compatible",
        OpenAICompatibleSettings,
        _server,
        "any server with OpenAI's API",
        example="models:\n  - name: mine/my-model\n    provider: openai_compatible\n"
        "    base_url: http://localhost:8080/v1\n    api_key: ${MY_KEY}",
    )
    yield Component(
        "openai",
        OpenAISettings,
        _openai,
        "OpenAI; key from OPENAI_API_KEY",
        example="models: [openai/gpt-4o-mini]",
    )
    yield Component(
        "vllm",
        VllmSettings,
        _vllm,
        "vLLM with log-likelihood: at localhost:8000, or started for the run",
        example="models:\n  - name: vllm/Qwen/Qwen2.5-7B\n    base_url: http://gpu1:8000/v1\n"
        "  - name: vllm/Qwen/Qwen3-8B\n    serve: true\n    serve_args: [--max-model-len, 8192]",
    )
    for preset in PRESETS:
        yield Component(preset.name, preset.settings(), partial(_preset, preset), preset.summary)
    yield Component(
        "openai_responses",
        OpenAIResponsesSettings,
        _openai_responses,
        "OpenAI's Responses API, with summaries of the reasoning",
        example="models:\n  - name: openai_responses/gpt-5-mini\n    summary: auto",
    )
    yield Component(
        "anthropic",
        AnthropicSettings,
        _anthropic,
        "Anthropic's Messages API; key from ANTHROPIC_API_KEY",
        example="models: [anthropic/claude-sonnet-4-5]",
    )
    yield Component(
        "gemini",
        GeminiSettings,
        _gemini,
        "Google's Gemini API; key from GEMINI_API_KEY",
        example="models: [gemini/gemini-2.5-flash]",
    )
    yield Component(
        "llamacpp",
        LlamaCppSettings,
        _llama_cpp,
        "embedded llama.cpp: small models from the package registry, or your GGUF file",
        example="models: [llamacpp/smollm2-135m-instruct]",
    )
    yield Component(
        "transformers",
        TransformersSettings,
        _transformers,
        "Hugging Face models in this process, from the hub or a folder",
        example="models:\n  - transformers/Qwen/Qwen3-0.6B\n"
        "  - name: transformers/mine\n    weights: checkpoints/step-4000",
    )
    yield Component(
        "echo",
        EchoSettings,
        _echo,
        "answers with the question; for trying things out",
        example="models: [echo/any]",
    )


@hookimpl
def llmeval_register_checks() -> Iterable[Check]:
    """Offer a line of `llmeval doctor` about the embedded engine."""
    yield Check("llama.cpp engine", _engine)


def _server(settings: OpenAICompatibleSettings) -> ModelProvider:
    from llmeval_models.openai.openai_provider import OpenAICompatibleProvider  # noqa: PLC0415

    return OpenAICompatibleProvider(settings)


def _vllm(settings: VllmSettings) -> ModelProvider:
    from llmeval_models.vllm.vllm_provider import VllmProvider  # noqa: PLC0415

    return VllmProvider(settings)


def _openai(settings: OpenAISettings) -> ModelProvider:
    from llmeval_models.openai.openai_provider import OpenAIProvider  # noqa: PLC0415

    return OpenAIProvider(settings)


def _preset(preset: Preset, settings: OpenAICompatibleSettings) -> ModelProvider:
    from llmeval_models.openai.preset_provider import PresetProvider  # noqa: PLC0415

    return PresetProvider(preset, settings)


def _openai_responses(settings: OpenAIResponsesSettings) -> ModelProvider:
    from llmeval_models.openai_responses.responses_provider import (  # noqa: PLC0415
        OpenAIResponsesProvider,
    )

    return OpenAIResponsesProvider(settings)


def _anthropic(settings: AnthropicSettings) -> ModelProvider:
    from llmeval_models.anthropic.anthropic_provider import AnthropicProvider  # noqa: PLC0415

    return AnthropicProvider(settings)


def _gemini(settings: GeminiSettings) -> ModelProvider:
    from llmeval_models.gemini.gemini_provider import GeminiProvider  # noqa: PLC0415

    return GeminiProvider(settings)


def _llama_cpp(settings: LlamaCppSettings) -> ModelProvider:
    from llmeval_models.llamacpp.llama_cpp_provider import LlamaCppProvider  # noqa: PLC0415

    return LlamaCppProvider(settings)


def _transformers(settings: TransformersSettings) -> ModelProvider:
    from llmeval_models.transformers.transformers_provider import (  # noqa: PLC0415
        TransformersProvider,
    )

    return TransformersProvider(settings)


def _echo(settings: EchoSettings) -> ModelProvider:
    from llmeval_models.echo import EchoProvider  # noqa: PLC0415

    return EchoProvider(settings)


def _engine(home: Path) -> CheckOutcome:
    from llmeval_models.engine_check import check_engine  # noqa: PLC0415

    return check_engine(home)
