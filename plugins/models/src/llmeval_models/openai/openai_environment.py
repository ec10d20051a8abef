"""What OpenAI's own client reads from the environment, where the run file does not say it."""

from __future__ import annotations

import os

from pydantic import SecretStr

from llmeval_models.http.environment import address_from_environment
from llmeval_models.model_settings import OpenAISettings


def from_environment(settings: OpenAISettings) -> OpenAISettings:
    """Fill in what OpenAI's own client reads from the environment; what is set goes first.

    Raises:
        ConfigError: OPENAI_BASE_URL is no address.
    """
    update: dict[str, object] = {}
    base_url = address_from_environment(settings, "OPENAI_BASE_URL")
    if base_url is not None:
        update["base_url"] = base_url
    sent = {name.lower() for name in settings.headers}
    headers = dict(settings.headers)
    for header, given, variable in (
        ("OpenAI-Organization", settings.organization, "OPENAI_ORG_ID"),
        ("OpenAI-Project", settings.project, "OPENAI_PROJECT_ID"),
    ):
        value = given or os.environ.get(variable, "").strip()
        if value and header.lower() not in sent:
            headers[header] = SecretStr(value)
    update["headers"] = headers
    return settings.model_copy(update=update)
