"""Log-likelihoods from a llama.cpp server, which does not echo its prompt.

The continuations of a request form a tree of tokens: before each token stands a prefix, shared
by all continuations that begin alike. Each prefix is asked once for all tokens that follow it; the
prompt stays in the slot's cache, so that one request costs one token. Requests run in parallel,
each on a slot of its own, and the server computes them in one batch.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager

from llmeval_core.hooks import Generation, Loglikelihood, ModelError, Request
from llmeval_models.http.json_client import JsonClient
from llmeval_models.likelihood.next_token import NextTokenReader, NextTokens, tokenize
from llmeval_models.likelihood.token_boundary import split_at_token_boundary

Tokens = tuple[int, ...]
_MOST_SLOTS = 1024


class LlamaCppScorer:
    """Scores continuations on one llama.cpp server.

    Args:
        client: the connection to it.
        n_slots: how many requests it works on at once; the server is asked if left out.
    """

    def __init__(self, client: JsonClient, *, n_slots: int | None = None) -> None:
        self._client = client
        self._reader = NextTokenReader(client)
        self._n_slots = n_slots
        self._slots: asyncio.Queue[int] | None = None
        self._counting = asyncio.Lock()

    async def score_continuations(self, request: Request) -> Generation:
        """Score the continuations of one request.

        Raises:
            ModelError: as the client; `malformed` if the server is no llama.cpp server;
                `bad_request` if what it tells does not do for this sample.
        """
        started = time.perf_counter()
        prompt, continuations = await self._tokens(request)
        async with self._slot() as slot:
            found = {
                prefix: await self._reader.read([*prompt, *prefix], wanted, slot=slot)
                for prefix, wanted in _prefixes(continuations).items()
            }
        return Generation(
            loglikelihoods=tuple(_sum(tokens, found) for tokens in continuations),
            n_prompt_tokens=len(prompt) + sum(map(len, continuations)),
            n_completion_tokens=0,
            latency_s=time.perf_counter() - started,
        )

    async def _tokens(self, request: Request) -> tuple[list[int], list[Tokens]]:
        """Split the tokens of prompt and continuations.

        As lm-evaluation-harness 0.4: the tokens of a continuation are those that the whole text
        has after the prompt's own. Where the whole text does not begin with the prompt's tokens,
        because a token spans the boundary, the continuation is tokenized by itself instead.
        """
        stem, texts = split_at_token_boundary(request)
        prompt, *wholes = await asyncio.gather(
            *(tokenize(self._client, stem + text, special=True) for text in ("", *texts))
        )
        continuations = []
        for text, whole in zip(texts, wholes, strict=True):
            if whole[: len(prompt)] == prompt:
                continuations.append(tuple(whole[len(prompt) :]))
            else:
                continuations.append(tuple(await tokenize(self._client, text, special=False)))
        for number, tokens in enumerate(continuations, start=1):
            if not tokens or not prompt:
                what = f"choice {number}" if prompt else "the prompt"
                raise ModelError("bad_request", f"{what} has no token for this model")
        return prompt, continuations

    @asynccontextmanager
    async def _slot(self) -> AsyncIterator[int]:
        """Take a slot for oneself."""
        async with self._counting:
            if self._slots is None:
                self._slots = asyncio.Queue()
                for slot in range(self._n_slots or await self._count_slots()):
                    self._slots.put_nowait(slot)
        slot = await self._slots.get()
        try:
            yield slot
        finally:
            self._slots.put_nowait(slot)

    async def _count_slots(self) -> int:
        answer = await self._client.get("/props", at_root=True)
        n_slots = answer.get("total_slots") if isinstance(answer, dict) else None
        if type(n_slots) is not int:
            raise ModelError(
                "malformed",
                "the server does not tell its slots as llama.cpp does",
                hint="`loglikelihood: llama_cpp` is for llama.cpp's own server",
            )
        return min(max(1, n_slots), _MOST_SLOTS)


def _prefixes(continuations: Sequence[Tokens]) -> dict[Tokens, list[int]]:
    """Map each prefix to the tokens that follow it.

    Ordered along each continuation in turn, so that the cache always has all but the last token.
    """
    wanted: dict[Tokens, dict[int, None]] = {}
    for tokens in continuations:
        for place, token in enumerate(tokens):
            wanted.setdefault(tokens[:place], {})[token] = None
    return {prefix: list(following) for prefix, following in wanted.items()}


def _sum(tokens: Tokens, found: dict[Tokens, NextTokens]) -> Loglikelihood:
    """Add up one continuation."""
    before = [found[tokens[:place]] for place in range(len(tokens))]
    steps = list(zip(tokens, before, strict=True))
    return Loglikelihood(
        logprob=min(sum(following.logprobs[token] for token, following in steps), 0.0),
        n_tokens=len(tokens),
        is_greedy=all(following.likeliest == token for token, following in steps),
    )
