"""The provider of embedded models, by name or by file."""

from __future__ import annotations

import asyncio
import importlib.util
from collections.abc import Mapping
from pathlib import Path

from llmeval_core.hooks import Attribution, ConfigError, Mode, Model, ModelInfo, fingerprint
from llmeval_models.llamacpp.known_models import KNOWN_MODELS, KnownModel
from llmeval_models.model_settings import LlamaCppSettings, OpenAICompatibleSettings
from llmeval_models.remembered_digest import remembered_sha256

INSTALL = 'pip install "llmeval-models[llamacpp]"'


class LlamaCppProvider:
    """Embedded models; each opened model is a process of its own."""

    def __init__(self, settings: LlamaCppSettings) -> None:
        self._settings = settings

    def describe(self, model: str) -> ModelInfo:
        """Tell how a model can be asked; the digest of its weights is its key.

        Raises:
            ConfigError: the engine is not installed, the name is not known, the file not there.
        """
        if importlib.util.find_spec("xllamacpp") is None:
            raise ConfigError("the llama.cpp engine is not installed", hint=INSTALL)
        chosen = self._chosen(model)
        if isinstance(chosen, KnownModel):
            digest, system, chat = chosen.sha256, chosen.system, chosen.chat
        else:
            digest, system, chat = _digest(chosen), None, True
        modes: set[Mode] = {"completion", "loglikelihood", "rolling"}
        if chat:
            modes.add("chat")
        return ModelInfo(
            cache_key=fingerprint([digest, self._settings.context_size, system]),
            modes=frozenset(modes),
            max_concurrency=self._settings.n_parallel,
        )

    def known_models(self) -> Mapping[str, Attribution]:
        """Tell licence and citation of the models that are known by name."""
        return {name: known.attribution() for name, known in KNOWN_MODELS.items()}

    async def open(self, model: str) -> Model:
        """Fetch the weights if need be, and start the engine.

        Raises:
            ModelError: the engine cannot load the model.
            FetchError: the weights cannot be fetched.
        """
        # Late: plans and lists do not need it.
        from llmeval_models.http.json_client import JsonClient  # noqa: PLC0415
        from llmeval_models.likelihood.llama_cpp_scoring import LlamaCppScorer  # noqa: PLC0415
        from llmeval_models.llamacpp.engine_process import EngineProcess  # noqa: PLC0415
        from llmeval_models.llamacpp.llama_cpp_model import LlamaCppModel  # noqa: PLC0415
        from llmeval_models.llamacpp.weights import ready_weights  # noqa: PLC0415
        from llmeval_models.openai.openai_model import OpenAIModel  # noqa: PLC0415
        from llmeval_models.openai.stream_chunks import StreamedResponse  # noqa: PLC0415

        chosen = self._chosen(model)
        if isinstance(chosen, KnownModel):
            path = await asyncio.to_thread(ready_weights, model, chosen)
            system = chosen.system
        else:
            path, system = chosen.absolute(), None
        engine = await EngineProcess.start(model, path, self._settings)
        server = OpenAICompatibleSettings(
            base_url=f"{engine.address}/v1", extra_body={"cache_prompt": True}
        )
        client = JsonClient(server, streamed=StreamedResponse, key=engine.key)
        scorer = LlamaCppScorer(
            client,
            n_slots=self._settings.n_parallel,
            context_size=self._settings.context_size,
        )
        return LlamaCppModel(
            engine, OpenAIModel(client, model, server, scorer=scorer), system=system
        )

    def _chosen(self, model: str) -> KnownModel | Path:
        """Find the model by name, or the file that `path` names."""
        if self._settings.path is not None:
            return self._settings.path
        if model not in KNOWN_MODELS:
            raise ConfigError(
                f"there is no embedded model '{model}'",
                hint=f"known: {', '.join(KNOWN_MODELS)}; or name a GGUF file with `path`",
            )
        return KNOWN_MODELS[model]


def _digest(path: Path) -> str:
    try:
        return remembered_sha256(path)
    except OSError as err:
        raise ConfigError(
            f"cannot read the model file '{path}': {err.strerror}",
            hint="the setting `path` names a GGUF file, relative to the folder you are in",
        ) from err
