"""The provider of vLLM's models, on a server that is there or one that it starts."""

from __future__ import annotations

import asyncio
import shutil
from pathlib import Path

from llmeval_core.hooks import Json, Model, ModelError, ModelInfo, Readiness, fingerprint
from llmeval_models.model_settings import VllmSettings
from llmeval_models.openai.openai_provider import OpenAICompatibleProvider
from llmeval_models.weights_folder import folder_digest

_SERVED_AT_ONCE = 256
"""What vLLM computes together unless it is told otherwise (`--max-num-seqs`)."""


class VllmProvider(OpenAICompatibleProvider):
    """Models behind vLLM's own server.

    A model that is served here is one of this process: models are asked one after another, so that
    each has the GPU for itself, and the server ends before the next one starts.
    """

    def __init__(self, settings: VllmSettings) -> None:
        super().__init__(settings)
        self._vllm = settings

    def describe(self, model: str) -> ModelInfo:
        """Tell how a model can be asked; nothing is sent and nothing started."""
        if not self._vllm.serve:
            return super().describe(model)
        served = self._vllm.weights or model
        folder = Path(served).expanduser()
        weights = folder_digest(folder) if folder.is_dir() else served
        identity: list[Json] = ["vllm serve", weights, list(self._vllm.serve_args)]
        identity.append(self._vllm.extra_body)
        if self._vllm.prefix_token is not None:
            identity.append(["prefix_token", self._vllm.prefix_token])
        return ModelInfo(
            cache_key=fingerprint(identity),
            modes=self._modes(),
            max_concurrency=self._vllm.max_concurrency or _SERVED_AT_ONCE,
        )

    def check(self, model: str) -> Readiness:
        """Look whether `vllm` is there, if it is to be started.

        Raises:
            ModelError: `not_found`, it is not.
        """
        if not self._vllm.serve:
            return super().check(model)
        command = self._vllm.serve_command
        if shutil.which(command[0]) is None:
            raise ModelError(
                "not_found",
                f"there is no command '{command[0]}' to serve the model with",
                hint="pip install vllm, name another with `serve_command`, or ask a server that "
                "runs: `base_url`",
            )
        return Readiness()

    async def open(self, model: str) -> Model:
        """Connect to the server; start it first, if it is to be started.

        Raises:
            ModelError: `not_found`, it does not start, or not in time.
        """
        if not self._vllm.serve:
            return await super().open(model)
        # Late: plans and lists do not need it.
        from llmeval_models.vllm.vllm_server import start_vllm  # noqa: PLC0415

        await asyncio.to_thread(self.check, model)
        return await start_vllm(model, self._vllm)
