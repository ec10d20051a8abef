"""Log-likelihoods from `/completions` with `echo`, as vLLM offers it."""

from __future__ import annotations

import time
from typing import Any

from llmeval_core.hooks import Generation, Loglikelihood, ModelError, Request
from llmeval_models.answers.generation_making import in_order, word
from llmeval_models.answers.token_usage import count
from llmeval_models.http.json_client import JsonClient
from llmeval_models.likelihood.echo_tokens import PREFIX_HINT
from llmeval_models.likelihood.echoed_text import (
    EchoedText,
    TokenBoundaryError,
    add_up,
    find,
    read_echo,
)
from llmeval_models.likelihood.logprobs import MissingLogprobError
from llmeval_models.likelihood.token_boundary import split_at_token_boundary

_MERGED_HINT = "end the prompt differently, for example with a line break before the choices"


async def score_by_echo(
    client: JsonClient, model: str, request: Request, *, extra: dict[str, Any]
) -> Generation:
    """Score all continuations in one request: prompt and continuation are echoed with logprobs.

    The tokens of a continuation are those that the whole text has after the prompt's own, as in
    lm-evaluation-harness 0.4. They are found by spelling the text out of its tokens; where tokens
    do not spell it (parts of characters), the prompt is echoed too, and its tokens are counted. A
    token that lies on the boundary belongs to neither side, so that the sample cannot be scored.

    Args:
        client: the connection.
        model: its name on the server.
        request: prompt and continuations.
        extra: more keys for the request; Any: JSON.

    Raises:
        ModelError: as the client; `malformed` if the server does not echo with logprobs;
            `bad_request` if what it tells does not do for this sample.
    """
    started = time.perf_counter()
    stem, continuations = split_at_token_boundary(request)
    wholes = [stem + text for text in continuations]
    requester = _EchoRequester(client, model, extra)
    needs_stem = bool(stem) and not "".join((stem, *continuations)).isascii()
    echoes = await requester.ask([*([stem] if needs_stem else []), *wholes])
    stem_echo, is_ordered = (echoes.pop(0) if needs_stem else None), requester.is_ordered
    likelihoods = []
    for number, (echo, whole) in enumerate(zip(echoes, wholes, strict=True), start=1):
        try:
            place = find(echo, stem, whole)
            if place is None:
                if stem_echo is None:
                    stem_echo = await requester.ask_about_prompt(stem)
                place = _after(stem_echo, echo, requester.n_generated)
                if not is_ordered:
                    raise _mismatch()
            if not stem and place.start == 0:
                raise _nothing_before(number)
            likelihoods.append(add_up(echo, place))
        except TokenBoundaryError as err:
            raise ModelError(
                "bad_request",
                f"choice {number} joins the end of the prompt in one token, {str(err)[:40]!r}",
                hint=_MERGED_HINT,
            ) from err
        except MissingLogprobError as err:
            raise ModelError("bad_request", f"choice {number}: {err}") from err
    return _generation(likelihoods, requester, started)


def _generation(
    likelihoods: list[Loglikelihood], requester: _EchoRequester, started: float
) -> Generation:
    return Generation(
        loglikelihoods=tuple(likelihoods),
        n_prompt_tokens=requester.n_prompt_tokens,
        n_completion_tokens=0,
        latency_s=time.perf_counter() - started,
        served_by=requester.served_by,
    )


class _EchoRequester:
    """Asks for texts to be echoed.

    Attributes:
        n_generated: how many tokens the server generated after each text, 0 or 1.
        is_ordered: whether the newest answers were numbered rightly; if not, they are believed to
            stand in the order of the texts only where their tokens spell them.
        n_prompt_tokens: tokens read; None if the server does not tell.
        served_by: the model's name as the server gives it; None if it does not.
    """

    def __init__(self, client: JsonClient, model: str, extra: dict[str, Any]) -> None:
        self._client = client
        self._model = model
        self._extra = extra
        self.n_generated = 1
        self.is_ordered = True
        self.n_prompt_tokens: int | None = None
        self.served_by: str | None = None

    async def ask(self, texts: list[str]) -> list[EchoedText]:
        """Let texts be echoed, in order.

        Raises:
            ModelError: as `score_by_echo`.
        """
        body = {
            "model": self._model,
            "prompt": texts,
            "max_tokens": 1,
            "temperature": 0,
            "echo": True,
            "logprobs": 1,
        }
        answer = await self._client.post("/completions", body | self._extra)
        choices = answer.get("choices") if isinstance(answer, dict) else None
        if not isinstance(choices, list) or not choices:
            raise _no_echo()
        echoes = [read_echo(choice) for choice in in_order(choices)]
        found = [echo for echo in echoes if echo is not None]
        if all(len(echo.tokens) == 1 and echo.tokens[0] not in texts for echo in found):
            raise _no_echo()  # nothing, or the generated token alone
        if len(found) != len(texts) or len(echoes) != len(texts):
            raise _mismatch()
        self.is_ordered = _is_ordered(choices)
        usage = answer.get("usage")
        n_read = count(usage.get("prompt_tokens")) if isinstance(usage, dict) else None
        self.n_generated = 0 if n_read == sum(len(echo.tokens) for echo in found) else 1
        self.n_prompt_tokens = n_read
        self.served_by = word(answer.get("model"))
        return found

    async def ask_about_prompt(self, stem: str) -> EchoedText:
        """Let the prompt alone be echoed.

        Raises:
            ModelError: as `score_by_echo`; `bad_request` if it is empty.
        """
        if not stem:
            raise ModelError(
                "bad_request",
                "the tokens that the server tells do not spell the text, and the prompt is empty",
                hint=PREFIX_HINT,
            )
        n_read = self.n_prompt_tokens
        (echo,) = await self.ask([stem])
        if n_read is not None and self.n_prompt_tokens is not None:
            self.n_prompt_tokens += n_read
        return echo


def _is_ordered(choices: list[Any]) -> bool:
    """Whether the answers say by their `index` which prompt they are for; Any: JSON."""
    if len(choices) == 1:
        return True
    places = [choice.get("index") if isinstance(choice, dict) else None for choice in choices]
    numbers = [place for place in places if type(place) is int]
    return sorted(numbers) == list(range(len(choices)))


def _after(stem_echo: EchoedText, echo: EchoedText, n_generated: int) -> slice:
    """Find the tokens after those of the prompt, by counting.

    Raises:
        ModelError: `malformed`, the prompt has no token.
        TokenBoundaryError: the prompt's tokens are others where the continuation follows.
    """
    n_prompt = len(stem_echo.tokens) - n_generated
    if n_prompt < 1:
        raise _no_echo()
    for before, same in zip(stem_echo.tokens[:n_prompt], echo.tokens, strict=False):
        if before != same:
            raise TokenBoundaryError(same)
    return slice(n_prompt, len(echo.tokens) - n_generated)


def _nothing_before(number: int) -> ModelError:
    """Make the error for a first token: whatever is told of it, nothing has foretold it."""
    return ModelError(
        "bad_request",
        f"choice {number}: the prompt is empty, and the server puts no token before the text",
        hint=PREFIX_HINT,
    )


def _mismatch() -> ModelError:
    return ModelError(
        "bad_request",
        "the server's answers do not fit the prompts, which were sent as one list",
        hint="it must answer each prompt of the list, and number the answers from 0",
    )


def _no_echo() -> ModelError:
    return ModelError(
        "malformed",
        "the server does not echo the prompt with logprobs",
        hint="set `loglikelihood: none` for this model, or use a server that can",
    )
