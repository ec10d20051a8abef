"""Texts written by a loaded model: many greedy ones at a time, sampled ones each by itself."""

from __future__ import annotations

import itertools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import torch
import transformers

from llmeval_core.hooks import ModelError, StopReason
from llmeval_models.transformers.causal_model import CausalModel

_TAIL_TOKENS = 32
"""How far back an end text may begin; those of more tokens are found when all is written."""


@dataclass(frozen=True, slots=True)
class Writing:
    """What is to be written.

    Attributes:
        prompt: its tokens.
        n_new: most tokens to write.
        stop: texts that end it, and are no part of it.
        samples: whether tokens are drawn; else the likeliest is taken.
        options: more arguments for `generate` of transformers; Any: JSON.
        seed: for sampling.
        n: how many answers.
    """

    prompt: list[int]
    n_new: int
    stop: tuple[str, ...]
    samples: bool = False
    options: Mapping[str, Any] = field(default_factory=dict)
    seed: int = 0
    n: int = 1

    @property
    def is_alone(self) -> bool:
        """Whether it is written by itself."""
        return self.samples or bool(self.options)


@dataclass(frozen=True, slots=True)
class Written:
    """One answer, why it ended, and how many tokens were written for it."""

    text: str
    stop: StopReason
    n_tokens: int


class _EndTexts:
    """Tells transformers which rows of a batch have written one of their end texts."""

    def __init__(self, model: CausalModel, stops: Sequence[tuple[str, ...]], begin: int) -> None:
        self._model = model
        self._stops = stops
        self._begin = begin
        self._is_over = [False] * len(stops)

    def __call__(self, tokens: Any, scores: Any, **more: Any) -> Any:
        begin = max(self._begin, tokens.shape[1] - _TAIL_TOKENS)
        for place, stop in enumerate(self._stops):
            if stop and not self._is_over[place]:
                tail = self._model.decode(tokens[place, begin:].tolist())
                self._is_over[place] = any(text in tail for text in stop)
        return torch.tensor(self._is_over, device=tokens.device)


def write_texts(model: CausalModel, writings: Sequence[Writing]) -> list[tuple[Written, ...]]:
    """Write answers: to many if all want one that is greedy and as long, or to one of any kind.

    Raises:
        ModelError: `bad_request`, transformers does not take an argument.
    """
    first = writings[0]
    longest = max(len(writing.prompt) for writing in writings)
    pairs = [(writing.prompt, longest - len(writing.prompt)) for writing in writings]
    stops = [writing.stop for writing in writings for _ in range(writing.n)]
    device = model.network.device
    criteria = transformers.StoppingCriteriaList([_EndTexts(model, stops, longest)])
    with torch.inference_mode(), torch.random.fork_rng(enabled=first.samples):
        if first.samples:
            torch.manual_seed(first.seed)
        try:
            rows = model.network.generate(
                input_ids=torch.tensor(
                    [[model.pad_token] * fill + prompt for prompt, fill in pairs], device=device
                ),
                attention_mask=torch.tensor(
                    [[0] * fill + [1] * len(prompt) for prompt, fill in pairs], device=device
                ),
                max_new_tokens=first.n_new,
                pad_token_id=model.pad_token,
                stopping_criteria=criteria if any(stops) else None,
                **_arguments(first),
            ).tolist()
        except (ValueError, TypeError) as err:
            message = str(err).strip().partition("\n")[0][:300]
            raise ModelError("bad_request", f"transformers refuses the request: {message}") from err
    written = iter(
        [_read(model, row[longest:], stop) for row, stop in zip(rows, stops, strict=True)]
    )
    return [tuple(itertools.islice(written, writing.n)) for writing in writings]


def _arguments(writing: Writing) -> dict[str, Any]:
    """Write how tokens are chosen, for `generate`."""
    if writing.samples:
        return {"do_sample": True, "num_return_sequences": writing.n, **writing.options}
    # What only sampling uses is unset, or transformers warns of it.
    unset = {"temperature": None, "top_p": None, "top_k": None}
    return {"do_sample": False, **unset, **writing.options}


def _read(model: CausalModel, tokens: list[int], stop: tuple[str, ...]) -> Written:
    """Cut an answer at its end: a token that says so, or the first of its end texts."""
    ends = model.end_tokens
    end = next((place for place, token in enumerate(tokens) if token in ends), None)
    n_tokens = len(tokens) if end is None else end + 1
    text = model.decode(tokens[:end])
    cuts = [place for mark in stop if mark and (place := text.find(mark)) >= 0]
    if cuts:
        return Written(text[: min(cuts)], "stop", n_tokens)
    return Written(text, "length" if end is None else "stop", n_tokens)
