"""The hooks: which providers and checks this distribution offers.

Loaded at every start of llmeval: what asks models is imported when a provider is made.
"""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Any

from llmeval_core.hooks import Check, CheckOutcome, Component, ModelProvider, hookimpl
from llmeval_models.model_settings import (
    EchoSettings,
    LlamaCppSettings,
    OllamaSettings,
    OpenAICompatibleSettings,
    OpenAISettings,
    VllmSettings,
)


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
        _server,
        "vLLM at localhost:8000, with log-likelihood",
        example="models:\n  - name: vllm/Qwen/Qwen2.5-7B\n    base_url: http://gpu1:8000/v1",
    )
    yield Component(
        "ollama",
        OllamaSettings,
        _server,
        "Ollama at localhost:11434",
        example="models: [ollama/llama3.2]",
    )
    yield Component(
        "llamacpp",
        LlamaCppSettings,
        _llama_cpp,
        "embedded llama.cpp: small models from the package registry, or your GGUF file",
        example="models: [llamacpp/smollm2-135m-instruct]",
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


def _openai(settings: OpenAISettings) -> ModelProvider:
    from llmeval_models.openai.openai_provider import OpenAIProvider  # noqa: PLC0415

    return OpenAIProvider(settings)


def _llama_cpp(settings: LlamaCppSettings) -> ModelProvider:
    from llmeval_models.llamacpp.llama_cpp_provider import LlamaCppProvider  # noqa: PLC0415

    return LlamaCppProvider(settings)


def _echo(settings: EchoSettings) -> ModelProvider:
    from llmeval_models.echo import EchoProvider  # noqa: PLC0415

    return EchoProvider(settings)


def _engine(home: Path) -> CheckOutcome:
    from llmeval_models.engine_check import check_engine  # noqa: PLC0415

    return check_engine(home)
