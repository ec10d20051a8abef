"""One Hugging Face model in this process: requests are put together to batches."""

from __future__ import annotations

import time
from collections.abc import Hashable, Sequence
from typing import Any

import torch

from llmeval_core.hooks import Generation, Loglikelihood, ModelError, Reasoning, Request
from llmeval_models.likelihood.token_pairs import TokenPair, add_windows, count_read
from llmeval_models.transformers.batch_worker import BatchWorker
from llmeval_models.transformers.causal_model import CausalModel
from llmeval_models.transformers.likelihoods import score_pairs, text_windows, token_pairs
from llmeval_models.transformers.text_generation import Writing, Written, write_texts

_Job = Writing | tuple[TokenPair, ...]
_Result = tuple[Written, ...] | tuple[Loglikelihood, ...]
_THINKING_WORDS = ("reasoning_effort", "enable_thinking")


class TransformersModel:
    """Answers by a loaded model.

    Greedy answers are written, and continuations scored, many at a time; a sampled answer is
    written by itself, from a seed of its own, so that its neighbours leave no trace in it.

    Args:
        loaded: tokenizer and weights.
        batch_size: most texts that are computed together.
    """

    def __init__(self, loaded: CausalModel, *, batch_size: int) -> None:
        self._loaded = loaded
        self._batch_size = batch_size
        self._worker = BatchWorker[_Job, _Result](self._run, kind=_kind, batch_size=batch_size)

    async def generate(self, request: Request) -> Generation:
        """Answer one request; see `contracts.Model`."""
        started = time.perf_counter()
        _refuse_what_it_cannot(request)
        if request.continuations:
            likelihoods, n_tokens = await self._score_request(request)
            return Generation(
                loglikelihoods=likelihoods,
                n_prompt_tokens=n_tokens,
                n_completion_tokens=0,
                latency_s=time.perf_counter() - started,
                served_by=self._loaded.name,
            )
        writing = self._writing(request)
        found = await self._worker.submit(writing)
        written = [one for one in found if isinstance(one, Written)]
        if not writing.samples:  # the same each time
            written *= request.settings.n
        return Generation(
            texts=tuple(one.text for one in written),
            finish_reason=written[0].stop,
            stop_reasons=tuple(one.stop for one in written),
            n_prompt_tokens=len(writing.prompt),
            n_completion_tokens=sum(one.n_tokens for one in written),
            latency_s=time.perf_counter() - started,
            served_by=self._loaded.name,
        )

    async def aclose(self) -> None:
        """Let the batch that runs end, and free the memory."""
        await self._worker.aclose()
        self._loaded.network.to("meta")
        if torch.cuda.is_available():
            torch.cuda.empty_cache()

    async def _score_request(self, request: Request) -> tuple[tuple[Loglikelihood, ...], int]:
        """Score continuations, or one text in windows; with the number of tokens read."""
        is_whole = request.mode == "rolling"
        if is_whole:
            pairs = tuple(text_windows(self._loaded, request.continuations[0]))
        else:
            pairs = tuple(token_pairs(self._loaded, request))
        found = await self._worker.submit(pairs)
        scores = tuple(one for one in found if isinstance(one, Loglikelihood))
        return (add_windows(scores, pairs),) if is_whole else scores, count_read(pairs)

    def _writing(self, request: Request) -> Writing:
        """Say what is to be written.

        Raises:
            ModelError: `context_too_long`; `bad_request`, the template has no word for reasoning.
        """
        settings = request.settings
        prompt = self._prompt(request)
        n_left = self._loaded.context_size - len(prompt)
        if n_left < 1 or not prompt:
            raise ModelError(
                "context_too_long" if prompt else "bad_request",
                f"the prompt has {len(prompt)} tokens, and the model's context has "
                f"{self._loaded.context_size}",
                hint="shorten the prompt" if prompt else "an empty prompt has nothing to continue",
            )
        temperature = settings.temperature
        own = bool(self._loaded.network.generation_config.do_sample)
        samples = own if temperature is None else temperature > 0
        options = {"temperature": temperature, "top_p": settings.top_p} if samples else {}
        seed = int(request.fingerprint[:8], 16) if settings.seed is None else settings.seed
        return Writing(
            prompt=prompt,
            n_new=n_left if settings.max_tokens is None else min(settings.max_tokens, n_left),
            stop=settings.stop,
            samples=samples,
            options={
                **{key: value for key, value in options.items() if value is not None},
                **settings.extra_body,
            },
            seed=seed,
            n=settings.n if samples else 1,
        )

    def _prompt(self, request: Request) -> list[int]:
        reasoning = request.settings.reasoning
        if request.mode == "chat":
            args = {} if reasoning is None else self._thinking(reasoning)
            return self._loaded.encode_chat(request.messages, args)
        return self._loaded.encode(request.prompt)

    def _thinking(self, reasoning: Reasoning) -> dict[str, Any]:
        """Say how much to think in the template's words, if it has any; Any: JSON."""
        template = str(self._loaded.tokenizer.chat_template)
        known = [word for word in _THINKING_WORDS if word in template]
        if reasoning.budget is not None or not known:
            raise ModelError(
                "bad_request",
                "this model's chat template has no word for "
                f"`reasoning.{'effort' if reasoning.budget is None else 'budget'}`",
                hint="leave `reasoning` out, or use the template's own words: chat_template_args",
            )
        words = {
            "reasoning_effort": reasoning.effort,
            "enable_thinking": reasoning.effort != "none",
        }
        return {word: words[word] for word in known}

    def _run(self, jobs: Sequence[_Job]) -> list[_Result]:
        """Compute a batch; by halves where the memory is too small for it.

        Raises:
            ModelError: `bad_request`, the memory is too small for one job.
        """
        try:
            if isinstance(jobs[0], Writing):
                return list(
                    write_texts(self._loaded, [job for job in jobs if isinstance(job, Writing)])
                )
            return self._score([job for job in jobs if not isinstance(job, Writing)])
        except torch.OutOfMemoryError as err:
            if len(jobs) == 1:
                raise ModelError(
                    "bad_request",
                    "the device has too little memory for this request",
                    hint="lower batch_size or context_size, or choose a smaller dtype",
                ) from err
        half = len(jobs) // 2
        return [*self._run(jobs[:half]), *self._run(jobs[half:])]

    def _score(self, jobs: Sequence[tuple[TokenPair, ...]]) -> list[_Result]:
        pairs = [pair for job in jobs for pair in job]
        scores = score_pairs(self._loaded, pairs, batch_size=self._batch_size)
        found: list[_Result] = []
        begin = 0
        for job in jobs:
            found.append(tuple(scores[begin : begin + len(job)]))
            begin += len(job)
        return found


def _refuse_what_it_cannot(request: Request) -> None:
    """Refuse what a causal model in this process cannot do.

    Raises:
        ModelError: `bad_request`, there are tools, images, or a format.
    """
    for name, is_wanted in (
        ("tools", bool(request.tools)),
        ("images", any(message.images for message in request.messages)),
        ("response_format", request.response_format is not None),
    ):
        if is_wanted:
            raise ModelError(
                "bad_request",
                f"a model of `transformers` cannot be asked with {name}",
                hint="serve it with vLLM: `vllm/NAME` with `serve: true`",
            )


def _kind(job: _Job) -> Hashable:
    """Tell which jobs go together: scoring; greedy answers of one length; no others."""
    if not isinstance(job, Writing):
        return "score"
    return id(job) if job.is_alone else ("greedy", job.n_new)
