"""Servers with OpenAI's API that are known by name: a table, one line each."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from pydantic import create_model
from pydantic.fields import FieldInfo

from llmeval_models.model_settings import OpenAICompatibleSettings


@dataclass(frozen=True, slots=True)
class Preset:
    """One server: a provider of this name, with other defaults than `openai_compatible`.

    Attributes:
        name: what stands before the slash of a model's name.
        title: whose it is, for people.
        base_url: its address.
        key: the variable with its key; None if it needs none.
        defaults: settings that differ, by name; Any: each has its own type.
        address: the variable with its address, where each user has one of their own.
    """

    name: str
    title: str
    base_url: str
    key: str | None
    defaults: Mapping[str, Any] = field(default_factory=dict)
    address: str | None = None

    @property
    def summary(self) -> str:
        """One line for lists."""
        if self.key is not None:
            return f"{self.title}; key from {self.key}"
        return f"{self.title} at {self.base_url.partition('://')[2].partition('/')[0]}"

    def settings(self) -> type[OpenAICompatibleSettings]:
        """Make the class of its settings."""
        changes = {"base_url": self.base_url, **self.defaults}
        fields: dict[str, Any] = {}  # Any: what create_model takes
        for name, value in changes.items():
            known = OpenAICompatibleSettings.model_fields[name]
            changed = FieldInfo.merge_field_infos(known, default=value)
            fields[name] = (known.annotation, changed)
        made: type[OpenAICompatibleSettings] = create_model(
            f"{self.name}_settings",
            __base__=OpenAICompatibleSettings,
            __doc__=f"The server that is known as {self.name}.",
            __module__=__name__,
            **fields,
        )
        return made

    def plain(self, settings: OpenAICompatibleSettings) -> OpenAICompatibleSettings:
        """Return the same settings in the class that has a name, so that they can be pickled."""
        values = {name: getattr(settings, name) for name in OpenAICompatibleSettings.model_fields}
        return OpenAICompatibleSettings.model_construct(settings.model_fields_set, **values)


_NEWER_NAME = {"max_tokens_key": "max_completion_tokens"}
_AZURE_URL = "https://YOUR-RESOURCE.openai.azure.com/openai/v1"
_GEMINI_URL = "https://generativelanguage.googleapis.com/v1beta/openai"

PRESETS = (
    Preset("openrouter", "OpenRouter", "https://openrouter.ai/api/v1", "OPENROUTER_API_KEY"),
    Preset("together", "Together AI", "https://api.together.xyz/v1", "TOGETHER_API_KEY"),
    Preset("groq", "Groq", "https://api.groq.com/openai/v1", "GROQ_API_KEY", _NEWER_NAME),
    Preset("deepseek", "DeepSeek", "https://api.deepseek.com/v1", "DEEPSEEK_API_KEY"),
    Preset("mistral", "Mistral", "https://api.mistral.ai/v1", "MISTRAL_API_KEY",
           {"seed_key": "random_seed"}),
    Preset("xai", "xAI", "https://api.x.ai/v1", "XAI_API_KEY"),
    Preset("azure", "Azure OpenAI", _AZURE_URL, "AZURE_OPENAI_API_KEY",
           {"api_key_header": "api-key", **_NEWER_NAME}, address="AZURE_OPENAI_ENDPOINT"),
    Preset("gemini_compatible", "Gemini by OpenAI's API", _GEMINI_URL, "GEMINI_API_KEY",
           {"reasoning_as": "gemini"}),
    Preset("anthropic_compatible", "Claude by OpenAI's API", "https://api.anthropic.com/v1",
           "ANTHROPIC_API_KEY", {"reasoning_as": "anthropic"}),
    Preset("ollama", "Ollama", "http://localhost:11434/v1", None),
    Preset("lmstudio", "LM Studio", "http://localhost:1234/v1", None),
    Preset("sglang", "SGLang", "http://localhost:30000/v1", None),
    Preset("llama_server", "llama.cpp's own server", "http://localhost:8080/v1", None,
           {"loglikelihood": "llama_cpp"}),
)  # fmt: skip
"""What is asked without a key is on this machine."""
