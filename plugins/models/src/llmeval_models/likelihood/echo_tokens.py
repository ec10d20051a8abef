"""Log-likelihoods of tokens that are sent by their ids, from a server that echoes as vLLM does.

A text alone is not enough where nothing stands before what is weighed, or where it is longer than
the model's context: then the text is cut by the server's own `/tokenize`, and the tokens come back
by their ids, so that each is known to be the one that was sent.
"""

from __future__ import annotations

import re
import time
from typing import Any

from llmeval_core.hooks import Generation, Loglikelihood, ModelError, Request
from llmeval_models.answers.generation_making import word
from llmeval_models.http.json_client import JsonClient
from llmeval_models.likelihood.echoed_text import EchoedText, add_up, read_echo
from llmeval_models.likelihood.logprobs import MissingLogprobError, token_id
from llmeval_models.likelihood.token_boundary import split_at_token_boundary
from llmeval_models.likelihood.token_pairs import (
    TokenPair,
    add_windows,
    count_read,
    pair_after_nothing,
    rolling_windows,
)

_ID = re.compile(r"token_id:(\d{1,10})")
_SPARE = 2
"""As lm-evaluation-harness: one token before what is weighed, and one that the server writes."""
PREFIX_HINT = (
    "set `prefix_token` to the text of the model's begin-of-text token, or of its end-of-text "
    "token if it has none"
)


class EchoTokenScorer:
    """Scores by token ids on one server.

    Args:
        client: the connection.
        model: its name on the server.
        prefix: the text of the token that begins a text; None to find it: it is the one that the
            server's tokenizer puts there by itself.
    """

    def __init__(self, client: JsonClient, model: str, *, prefix: str | None) -> None:
        self._client = client
        self._model = model
        self._prefix = prefix
        self._first: int | None = None
        self._context_size = 0

    async def score(self, request: Request, *, extra: dict[str, Any]) -> Generation:
        """Score a whole text in windows, or continuations that have no prompt.

        Args:
            request: of the mode `rolling`, or with an empty prompt.
            extra: more keys for each request; Any: JSON.

        Raises:
            ModelError: as the client; `bad_request`, what begins a text is not known, or the
                sample has no token; `malformed`, the server does not do this as vLLM does.
        """
        started = time.perf_counter()
        first = await self._first_token()
        is_whole = request.mode == "rolling"
        if is_whole:
            tokens = await self._encode(request.continuations[0], first)
            size = max(1, self._context_size - _SPARE)
            pairs = rolling_windows(tokens, prefix_token=first, size=size)
        else:
            _, texts = split_at_token_boundary(request)
            bare = [await self._tokenize(text, special=False) for text in texts]
            pairs = [pair_after_nothing(tokens, prefix_token=first) for tokens in bare]
        found, served_by = [], None
        for number, pair in enumerate(pairs, start=1):
            if not pair.continuation:
                raise ModelError("bad_request", f"choice {number} has no token for this model")
            score, served_by = await self._weigh(pair, extra)
            found.append(score)
        return Generation(
            loglikelihoods=(add_windows(found, pairs),) if is_whole else tuple(found),
            n_prompt_tokens=count_read(pairs),
            n_completion_tokens=0,
            latency_s=time.perf_counter() - started,
            served_by=served_by,
        )

    async def _weigh(
        self, pair: TokenPair, extra: dict[str, Any]
    ) -> tuple[Loglikelihood, str | None]:
        """Score one continuation; with the model's name as the server gives it."""
        sent = [*pair.context, *pair.continuation]
        body = {
            "model": self._model,
            "prompt": [sent],
            "max_tokens": 1,
            "temperature": 0,
            "echo": True,
            "logprobs": 1,
            "return_tokens_as_token_ids": True,
        }
        answer = await self._client.post("/completions", body | extra)
        choices = answer.get("choices") if isinstance(answer, dict) else None
        echo = None
        if isinstance(choices, list) and len(choices) == 1:
            echo = read_echo(choices[0])
        if echo is None or _ids(echo)[: len(sent)] != sent:
            raise _unlike_vllm("echo tokens by their ids")
        try:
            score = add_up(echo, slice(len(pair.context), len(sent)))
        except MissingLogprobError as err:
            raise ModelError("bad_request", str(err)) from err
        return score, word(answer.get("model"))

    async def _first_token(self) -> int:
        """Find what begins a text, once."""
        if self._first is None:
            if self._prefix is not None:
                found = await self._tokenize(self._prefix, special=False)
            else:
                plain = await self._tokenize("a", special=False)
                around = await self._tokenize("a", special=True)
                found = around[:1] if around[1:] == plain else []
            if len(found) != 1:
                raise ModelError(
                    "bad_request",
                    "the server does not say which token begins a text"
                    if self._prefix is None
                    else f"`prefix_token` {self._prefix!r} is {len(found)} tokens for this model",
                    hint=PREFIX_HINT,
                )
            self._first = found[0]
        return self._first

    async def _encode(self, text: str, first: int) -> list[int]:
        """Read a text with the tokens that the tokenizer has around it; never begun twice."""
        plain = await self._tokenize(text, special=False)
        return plain if plain[:1] == [first] else await self._tokenize(text, special=True)

    async def _tokenize(self, text: str, *, special: bool) -> list[int]:
        body = {"model": self._model, "prompt": text, "add_special_tokens": special}
        answer = await self._client.post("/tokenize", body, at_root=True)
        try:
            tokens = [token_id(token) for token in answer["tokens"]]
            size = answer["max_model_len"]
        except (KeyError, TypeError, ValueError) as err:
            raise _unlike_vllm("tokenize") from err
        if type(size) is not int or size < 1:
            raise _unlike_vllm("tell its context size")
        self._context_size = size
        return tokens


def _ids(echo: EchoedText) -> list[int]:
    """Read the ids of tokens; none if they are spelled otherwise."""
    found = [_ID.fullmatch(token) for token in echo.tokens]
    return [int(one[1]) for one in found if one is not None] if all(found) else []


def _unlike_vllm(what: str) -> ModelError:
    return ModelError(
        "malformed",
        f"the server does not {what} as vLLM does",
        hint="whole texts, and choices without a prompt, need vLLM's own server, or `llamacpp/` "
        "or `transformers/`",
    )
