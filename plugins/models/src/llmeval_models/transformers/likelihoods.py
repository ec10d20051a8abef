"""Exact log-likelihoods of continuations, many at a time."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import torch

from llmeval_core.hooks import Loglikelihood, ModelError, Request
from llmeval_models.likelihood.token_boundary import split_at_token_boundary
from llmeval_models.likelihood.token_pairs import (
    TokenPair,
    pair_after_nothing,
    rolling_windows,
)
from llmeval_models.transformers.causal_model import CausalModel


def token_pairs(model: CausalModel, request: Request) -> list[TokenPair]:
    """Encode the prompt with each continuation, as `_encode_pair` of lm-evaluation-harness 0.4.

    The tokens of a continuation are those that the whole text has beyond the number of the
    prompt's own. An empty prompt is one token that begins a text.

    Raises:
        ModelError: `bad_request`, a continuation has no token of its own; `context_too_long`.
    """
    prompt, continuations = split_at_token_boundary(request)
    context = model.encode(prompt) if prompt else []
    pairs = []
    for place, text in enumerate(continuations, start=1):
        if prompt:
            pair = TokenPair(context, model.encode(prompt + text)[len(context) :])
        else:
            tokens = model.encode_bare(text)
            pair = pair_after_nothing(tokens, prefix_token=model.prefix_token)
        if not pair.context or not pair.continuation:
            raise ModelError(
                "bad_request",
                f"choice {place} has no token of its own",
                hint="its beginning joins the end of the prompt: end the prompt before it",
            )
        n_tokens = len(pair.context) + len(pair.continuation)
        if n_tokens - 1 > model.context_size:
            raise ModelError(
                "context_too_long",
                f"prompt and choice {place} have {n_tokens} tokens, and the model's context has "
                f"{model.context_size}",
                hint="shorten the prompt",
            )
        pairs.append(pair)
    return pairs


def text_windows(model: CausalModel, text: str) -> list[TokenPair]:
    """Cut a text into windows that the model can read; see `rolling_windows`.

    Raises:
        ModelError: `bad_request`, the text has no tokens, or nothing begins a text.
    """
    return rolling_windows(
        model.encode(text), prefix_token=model.prefix_token, size=model.context_size
    )


def score_pairs(
    model: CausalModel, pairs: Sequence[TokenPair], *, batch_size: int
) -> list[Loglikelihood]:
    """Score continuations, those of like length together.

    Raises:
        ModelError: `malformed`, the model computes no finite number.
    """
    order = sorted(range(len(pairs)), key=lambda place: -sum(map(len, pairs[place])))
    found: dict[int, Loglikelihood] = {}
    for start in range(0, len(order), batch_size):
        places = order[start : start + batch_size]
        scores = _score_batch(model, [pairs[place] for place in places])
        found.update(zip(places, scores, strict=True))
    return [found[place] for place in range(len(pairs))]


def _score_batch(model: CausalModel, pairs: Sequence[TokenPair]) -> list[Loglikelihood]:
    """Score one batch; it is filled up on the right, where nothing of a text looks."""
    rows = [[*pair.context, *pair.continuation][:-1] for pair in pairs]
    longest = max(map(len, rows))
    device = model.network.device
    padded = [row + [model.pad_token] * (longest - len(row)) for row in rows]
    masks = [[1] * len(row) + [0] * (longest - len(row)) for row in rows]
    found = []
    with torch.inference_mode():
        logits = model.network(
            input_ids=torch.tensor(padded, device=device),
            attention_mask=torch.tensor(masks, device=device),
        ).logits
        for place, pair in enumerate(pairs):
            begin = len(pair.context) - 1
            found.append(_read_logits(logits[place, begin : len(rows[place])], pair.continuation))
    return found


def _read_logits(logits: Any, continuation: Sequence[int]) -> Loglikelihood:
    """Add up the log-probabilities of a continuation's tokens; Any: a tensor, a row for each."""
    told = torch.log_softmax(logits.float(), dim=-1)
    tokens = torch.tensor(continuation, device=told.device)
    logprob = float(told.gather(1, tokens[:, None]).sum())
    if not math.isfinite(logprob):
        raise ModelError(
            "malformed",
            "the model computes no finite log-likelihood",
            hint="with float16 numbers overflow: set `dtype` to float32 or bfloat16",
        )
    is_greedy = bool((told.argmax(dim=-1) == tokens).all())
    return Loglikelihood(min(0.0, logprob), len(continuation), is_greedy)
