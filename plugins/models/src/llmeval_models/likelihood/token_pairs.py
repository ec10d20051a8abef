"""Tokens to be weighed, and those before them: by the rules of lm-evaluation-harness 0.4.

All models that know their tokens cut texts here, so that one text has one score by the same rules.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from typing import NamedTuple

from llmeval_core.hooks import Loglikelihood, ModelError


class TokenPair(NamedTuple):
    """The tokens of a prompt, one at least, and those of a continuation, one at least."""

    context: list[int]
    continuation: list[int]


def pair_after_nothing(tokens: list[int], *, prefix_token: int | None) -> TokenPair:
    """Put the token that begins a text before a continuation that has no prompt.

    A text that begins with that token keeps its own. Without such a token the first one is given,
    and not weighed.

    Args:
        tokens: of the continuation, without special tokens around it.
        prefix_token: what begins a text; None if the model has no such token.
    """
    if prefix_token is None or tokens[:1] == [prefix_token]:
        return TokenPair(tokens[:1], tokens[1:])
    return TokenPair([prefix_token], tokens)


def rolling_windows(tokens: list[int], *, prefix_token: int | None, size: int) -> list[TokenPair]:
    """Cut a text into windows that a model can read, each token weighed in one of them.

    As `get_rolling_token_windows` with a context of one token: the first window begins after a
    token that begins a text, each other after the last token of the one before; the last is as
    long as the others, and so has more before it.

    Args:
        tokens: of the whole text.
        prefix_token: what begins a text; None if the model has no such token.
        size: how many tokens the model can read before the last one that is weighed, at least 1.

    Raises:
        ModelError: `bad_request`, the text has no tokens, or nothing begins a text.
    """
    if not tokens:
        raise ModelError("bad_request", "there is no token to score", hint="leave the sample out")
    if prefix_token is None:
        raise ModelError("bad_request", "the tokenizer has no first token")
    windows = [TokenPair([prefix_token], tokens[:size])]
    for begin in range(size, len(tokens), size):
        end = min(begin + size, len(tokens))
        windows.append(TokenPair(tokens[end - size - 1 : begin], tokens[begin:end]))
    return windows


def add_windows(scores: Iterable[Loglikelihood], windows: Sequence[TokenPair]) -> Loglikelihood:
    """Add up the scores of a text's windows."""
    known = list(scores)
    greedy = [one.is_greedy for one in known]
    return Loglikelihood(
        math.fsum(one.logprob for one in known),
        count_weighed(windows),
        None if None in greedy else all(greedy),
    )


def count_weighed(pairs: Iterable[TokenPair]) -> int:
    """Count the tokens that are weighed."""
    return sum(len(pair.continuation) for pair in pairs)


def count_read(pairs: Iterable[TokenPair]) -> int:
    """Count the tokens that are sent: those weighed, and those before them."""
    return sum(len(pair.context) + len(pair.continuation) for pair in pairs)
