"""The provider of Hugging Face models in this process: what can be said before any is loaded."""

from __future__ import annotations

import asyncio
import importlib.util
import json
import os
from pathlib import Path

from llmeval_core.hooks import ConfigError, Json, Mode, Model, ModelInfo, fingerprint
from llmeval_models.model_settings import TransformersSettings
from llmeval_models.weights_folder import folder_digest

INSTALL = 'pip install "llmeval-models[transformers]"'
_TEMPLATE_FILES = ("chat_template.jinja", "chat_template.json")


class TransformersProvider:
    """Models by their name on the Hugging Face hub, or from a folder."""

    def __init__(self, settings: TransformersSettings) -> None:
        self._settings = settings

    def describe(self, model: str) -> ModelInfo:
        """Tell how a model can be asked; nothing is loaded.

        Raises:
            ConfigError: the libraries are not installed, or the folder has no model.
        """
        missing = [name for name in ("torch", "transformers") if not _is_installed(name)]
        if missing:
            raise ConfigError(f"{' and '.join(missing)} not installed", hint=INSTALL)
        settings = self._settings
        weights = settings.weights or model
        folder = Path(weights).expanduser()
        if folder.is_dir():
            has_chat = _has_template(folder)
            identity: list[Json] = [folder_digest(folder)]
        else:
            has_chat = True
            identity = [weights, settings.revision]
        modes: set[Mode] = {"completion", "loglikelihood", "rolling"}
        if has_chat if settings.chat is None else settings.chat:
            modes.add("chat")
        identity += [settings.dtype, settings.context_size, settings.chat_template_args]
        return ModelInfo(
            cache_key=fingerprint(["transformers", *identity]),
            modes=frozenset(modes),
            max_concurrency=2 * settings.batch_size,  # so that the next batch waits already
            lacks=frozenset({"tools"}),
        )

    async def open(self, model: str) -> Model:
        """Load the model, fetching it first if it is not there.

        Raises:
            ModelError: `not_found`, it cannot be loaded.
        """
        # Before the import, as in llamacpp/engine_main.py: OpenMP's threads burn a core at each
        # barrier, and with all cores busy an answer takes a hundred times as long.
        os.environ.setdefault("GOMP_SPINCOUNT", "1000")
        # Late: they take seconds, and plans and lists do not need them.
        from llmeval_models.transformers.causal_model import load_causal_model  # noqa: PLC0415
        from llmeval_models.transformers.transformers_model import (  # noqa: PLC0415
            TransformersModel,
        )

        loaded = await asyncio.to_thread(load_causal_model, model, self._settings)
        return TransformersModel(loaded, batch_size=self._settings.batch_size)


def _is_installed(name: str) -> bool:
    return importlib.util.find_spec(name) is not None


def _has_template(folder: Path) -> bool:
    """Tell whether a model's folder says how its chats are written."""
    if any((folder / name).is_file() for name in _TEMPLATE_FILES):
        return True
    try:
        told = json.loads((folder / "tokenizer_config.json").read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return False
    return isinstance(told, dict) and bool(told.get("chat_template"))
