"""The texts of the diagnosis in each language; `{...}` stands for a finding's values."""

from __future__ import annotations

import json
from importlib.resources import files

from llmeval_mlflow_proxy.page_language import Language


def translations(language: Language) -> dict[str, str]:
    """Read all texts of a language, by key."""
    file = files("llmeval_mlflow_proxy.diagnosis").joinpath(f"translations_{language}.json")
    return dict(json.loads(file.read_text()))


def translate(key: str, language: Language, **values: str | int) -> str:
    """Return a text with its values."""
    return translations(language)[key].format(**values)
