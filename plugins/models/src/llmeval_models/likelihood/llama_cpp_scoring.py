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
from llmeval_models.likelihood.llama_cpp_facts import (
    LlamaCppFacts,
    no_llama_cpp,
    read_llama_cpp_facts,
)
from llmeval_models.likelihood.next_token import NextTokenReader, NextTokens, tokenize
from llmeval_models.likelihood.token_boundary import split_at_token_boundary
from llmeval_models.likelihood.token_pairs import (
    TokenPair,
    add_windows,
    count_read,
    pair_after_nothing,
    rolling_windows,
)

Tokens = tuple[int, ...]


class LlamaCppScorer:
    """Scores continuations, and whole texts, on one llama.cpp server.

    Args:
        client: the connection to it.
        n_slots: how many requests it works on at once; the server is asked if left out.
        context_size: most tokens of prompt and answer; what the server tells, if that is less.
    """

    def __init__(
        self, client: JsonClient, *, n_slots: int | None = None, context_size: int | None = None
    ) -> None:
        self._client = client
        self._reader = NextTokenReader(client)
        self._n_slots = n_slots
        self._context_size = context_size
        self._slots: asyncio.Queue[int] | None = None
        self._facts: LlamaCppFacts | None = None
        self._counting = asyncio.Lock()
        self._asking = asyncio.Lock()

    async def score(self, request: Request) -> Generation:
        """Score the continuations of one request, or its text.

        Raises:
            ModelError: as the client; `malformed` if the server is no llama.cpp server;
                `bad_request` if what it tells does not do for this sample.
        """
        started = time.perf_counter()
        if request.mode == "rolling":
            windows = await self._windows(request.continuations[0])
            found = [(await self._weigh(one.context, [(*one.continuation,)]))[0] for one in windows]
            likelihoods: tuple[Loglikelihood, ...] = (add_windows(found, windows),)
            n_read = count_read(windows)
        else:
            prompt, continuations = await self._tokens(request)
            likelihoods = await self._weigh(prompt, continuations)
            n_read = len(prompt) + sum(map(len, continuations))
        return Generation(
            loglikelihoods=likelihoods,
            n_prompt_tokens=n_read,
            n_completion_tokens=0,
            latency_s=time.perf_counter() - started,
        )

    async def _weigh(
        self, prompt: list[int], continuations: Sequence[Tokens]
    ) -> tuple[Loglikelihood, ...]:
        """Score continuations of one prompt on a slot of their own."""
        async with self._slot() as slot:
            found = {
                prefix: await self._reader.read([*prompt, *prefix], wanted, slot=slot)
                for prefix, wanted in _prefixes(continuations).items()
            }
        return tuple(_sum(tokens, found) for tokens in continuations)

    async def _windows(self, text: str) -> list[TokenPair]:
        """Cut a text into windows that leave room for the one token that the server writes."""
        facts = await self._server_facts()
        sizes = [size for size in (self._context_size, facts.context_size) if size is not None]
        tokens = await self._encode(text)
        if not sizes:
            raise no_llama_cpp("tell its context size")
        return rolling_windows(tokens, prefix_token=facts.prefix_token, size=min(sizes) - 1)

    async def _tokens(self, request: Request) -> tuple[list[int], list[Tokens]]:
        """Split the tokens of prompt and continuations.

        As lm-evaluation-harness 0.4: the tokens of a continuation are those that the whole text
        has after the prompt's own, and an empty prompt is one token that begins a text. Where the
        whole text does not begin with the prompt's tokens, because a token spans the boundary, the
        continuation is tokenized by itself instead.
        """
        stem, texts = split_at_token_boundary(request)
        if not stem:
            return await self._after_nothing(texts)
        prompt, *wholes = await asyncio.gather(
            *(self._encode(stem + text) for text in ("", *texts))
        )
        continuations = []
        for text, whole in zip(texts, wholes, strict=True):
            if whole[: len(prompt)] == prompt:
                continuations.append(tuple(whole[len(prompt) :]))
            else:
                continuations.append(tuple(await tokenize(self._client, text, special=False)))
        if not prompt:
            raise ModelError("bad_request", "the prompt has no token for this model")
        _refuse_empty(continuations)
        return prompt, continuations

    async def _after_nothing(self, texts: Sequence[str]) -> tuple[list[int], list[Tokens]]:
        """Put the token that begins a text before continuations that have no prompt."""
        first = (await self._server_facts()).prefix_token
        if first is None:
            raise ModelError(
                "bad_request",
                "the prompt is empty, and the model has no token that begins a text",
                hint="give the task a prompt",
            )
        found = await asyncio.gather(
            *(tokenize(self._client, text, special=False) for text in texts)
        )
        pairs = [pair_after_nothing(tokens, prefix_token=first) for tokens in found]
        continuations = [tuple(pair.continuation) for pair in pairs]
        _refuse_empty(continuations)
        return [first], continuations

    async def _encode(self, text: str) -> list[int]:
        """Read a text with the tokens that the model has around it; never with two beginnings."""
        first = (await self._server_facts()).first
        is_begun = bool(first) and text.startswith(first)
        return await tokenize(self._client, text, special=not is_begun)

    @asynccontextmanager
    async def _slot(self) -> AsyncIterator[int]:
        """Take a slot for oneself."""
        async with self._counting:
            if self._slots is None:
                n_slots = self._n_slots or (await self._server_facts()).n_slots
                if n_slots is None:
                    raise no_llama_cpp("tell its slots")
                self._slots = asyncio.Queue()
                for slot in range(n_slots):
                    self._slots.put_nowait(slot)
        slot = await self._slots.get()
        try:
            yield slot
        finally:
            self._slots.put_nowait(slot)

    async def _server_facts(self) -> LlamaCppFacts:
        """Ask the server once."""
        async with self._asking:
            if self._facts is None:
                self._facts = await read_llama_cpp_facts(self._client)
            return self._facts


def _refuse_empty(continuations: Sequence[Tokens]) -> None:
    for number, tokens in enumerate(continuations, start=1):
        if not tokens:
            raise ModelError("bad_request", f"choice {number} has no token for this model")


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
