"""The words of the diagnosis, in each language; `{...}` stands for a finding's values."""

from __future__ import annotations

import json
from importlib.resources import files

from llmeval_mlflow_proxy.languages import Language


def words(language: Language) -> dict[str, str]:
    """Read all words of a language."""
    text = files("llmeval_mlflow_proxy.diagnosis").joinpath(f"words_{language}.json").read_text()
    return dict(json.loads(text))


def say(word: str, language: Language, **values: str | int) -> str:
    """Return a text with its gaps filled."""
    return words(language)[word].format(**values)
