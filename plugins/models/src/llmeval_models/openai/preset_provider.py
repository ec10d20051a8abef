"""The provider of a server that is known by name."""

from __future__ import annotations

from pydantic import SecretStr

from llmeval_core.hooks import ConfigError
from llmeval_models.http.environment import address_from_environment, key_from_environment
from llmeval_models.model_settings import OpenAICompatibleSettings
from llmeval_models.openai.openai_provider import OpenAICompatibleProvider
from llmeval_models.openai.presets import Preset

_AZURE_PATH = "/openai/v1"


class PresetProvider(OpenAICompatibleProvider):
    """Models of one server of the table.

    Args:
        preset: its line of the table.
        settings: of the class that `preset.settings()` makes.
    """

    def __init__(self, preset: Preset, settings: OpenAICompatibleSettings) -> None:
        super().__init__(preset.plain(settings))
        self._preset = preset

    def _effective(self) -> OpenAICompatibleSettings:
        """Add the address of the environment, where each user has one of their own.

        Raises:
            ConfigError: there is none.
        """
        variable = self._preset.address
        if variable is None or "base_url" in self._given.model_fields_set:
            return self._given
        found = address_from_environment(self._given, variable)
        if found is None:
            raise ConfigError(
                f"{self._preset.name} has no address: {variable} is not set",
                hint=f"export {variable}=... or set base_url, such as {self._preset.base_url}",
            )
        base_url = found.rstrip("/")
        if "/openai" not in base_url:  # as the variable has it for other clients
            base_url += _AZURE_PATH
        return self._given.model_copy(update={"base_url": base_url})

    def _key(self) -> SecretStr | None:
        if self._preset.key is None:
            return self._settings.api_key
        return key_from_environment(self._settings, self._preset.key)
