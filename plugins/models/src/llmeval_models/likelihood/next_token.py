"""What a llama.cpp server thinks of given next tokens, by their ids.

The server tells the log-probability of the token that it chose, and of the likeliest. So it is
made to choose: a bias on one token, the anchor, forces that token, and its log-probability comes
back from the model's own distribution, without the bias. Other tokens are read relative to it: all
are lifted above the rest of the vocabulary, the anchor most, and the probabilities *after* the bias
are asked for; their ratios, less the bias, are the model's own. Two requests of one token thus read
any number of tokens.

The anchor must be a whole piece of text: llama.cpp reports nothing about a chosen token that ends
within a character (bytes of Japanese in a small vocabulary). Other tokens may be anything.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from llmeval_core.hooks import ModelError
from llmeval_models.http.json_client import JsonClient
from llmeval_models.likelihood.logprobs import (
    MissingLogprobError,
    log_of,
    logprob,
    probability,
    token_id,
)

_FORCE = 1000.0
_LIFT = 100.0
"""Above the spread of a model's logits, so that nothing else comes between."""
_LEAD = 20.0
"""By how much the anchor leads the likeliest other token: another is drawn once in 5e8."""
_LEAST = 1e-37
"""Below this, 32-bit probabilities lose digits; reached at 65 nats under the likeliest token."""
_FIELDS = ["completion_probabilities"]


@dataclass(frozen=True, slots=True)
class NextTokens:
    """What may come next: natural log-probabilities by token id, and the likeliest token."""

    logprobs: dict[int, float]
    likeliest: int


class NextTokenReader:
    """Reads next-token log-probabilities from the native `/completion` of llama.cpp.

    It remembers which tokens cannot be an anchor; at most as many as the vocabulary has.
    """

    def __init__(self, client: JsonClient) -> None:
        self._client = client
        self._broken: set[int] = set()
        self._letter: int | None = None

    async def read(self, prefix: list[int], wanted: Sequence[int], *, slot: int) -> NextTokens:
        """Read the log-probability of each wanted token after a prefix.

        Args:
            prefix: token ids, at least one; what the slot's cache has of it is not computed again.
            wanted: different token ids, at least one.
            slot: the server's slot to use; -1 for any.

        Raises:
            ModelError: as the client; `malformed` if the server gives no log-probabilities.
        """
        anchor = next((token for token in wanted if token not in self._broken), None)
        forced = None if anchor is None else await self._forced(prefix, anchor, slot)
        if anchor is not None and forced is None:
            self._broken.add(anchor)
        if anchor is None or forced is None:
            anchor = await self._any_letter()
            forced = await self._forced(prefix, anchor, slot)
        if forced is None:
            raise ModelError("malformed", "the server gives no log-probabilities")
        rest = [token for token in wanted if token != anchor]
        try:
            top = forced["top_logprobs"][0]
            logprobs = {anchor: logprob(forced["logprob"])}
            if rest:
                lead = _LIFT + _LEAD + logprob(top["logprob"]) - logprobs[anchor]
                logprobs |= await self._relative(
                    prefix, (anchor, logprobs[anchor], lead), rest, slot
                )
            return NextTokens({token: logprobs[token] for token in wanted}, token_id(top["id"]))
        except MissingLogprobError as err:
            raise ModelError("bad_request", str(err)) from err
        except (KeyError, IndexError, TypeError, ValueError) as err:
            raise ModelError("malformed", "the server's log-probabilities are incomplete") from err

    async def _forced(self, prefix: list[int], token: int, slot: int) -> Any:
        """Force one token; None if the server reports nothing about it. Any: JSON."""
        found = await self._complete(
            prefix, slot, n_probs=1, temperature=0, logit_bias=[[token, _FORCE]]
        )
        first = found[0] if found else None
        return first if isinstance(first, dict) and first.get("id") == token else None

    async def _relative(
        self, prefix: list[int], anchor: tuple[int, float, float], rest: list[int], slot: int
    ) -> dict[int, float]:
        """Read tokens relative to the anchor, which is given with its log-probability and bias."""
        token, known, lead = anchor
        found = await self._complete(
            prefix,
            slot,
            n_probs=len(rest) + 1,
            post_sampling_probs=True,
            samplers=["top_k"],  # none that would change probabilities
            top_k=len(rest) + 1,
            temperature=1,
            seed=0,
            logit_bias=[[token, lead], *([other, _LIFT] for other in rest)],
        )
        probs = {token_id(item): probability(item["prob"]) for item in found[0]["top_probs"]}
        if probs[token] <= _LEAST:
            raise MissingLogprobError(
                "the server gives the token that it was made to choose no chance"
            )
        base = known + lead - _LIFT - log_of(probs[token], least=_LEAST)
        return {other: min(base + log_of(probs[other], least=_LEAST), 0.0) for other in rest}

    async def _complete(self, prefix: list[int], slot: int, **more: Any) -> list[Any]:
        """Ask for one token; return what is told about it, nothing or one. Any: JSON."""
        body = {
            "prompt": prefix,
            "n_predict": 1,
            "cache_prompt": True,
            "id_slot": slot,
            "response_fields": _FIELDS,
            **more,
        }
        answer = await self._client.post("/completion", body, at_root=True)
        found = answer.get("completion_probabilities") if isinstance(answer, dict) else None
        return found if isinstance(found, list) else []

    async def _any_letter(self) -> int:
        """Find a token that is surely a whole piece of text."""
        if self._letter is None:
            self._letter = (await tokenize(self._client, "a", special=False))[-1]
        return self._letter


async def tokenize(client: JsonClient, text: str, *, special: bool) -> list[int]:
    """Turn a text into token ids; `special` adds the model's begin-of-text token, if it has one.

    Raises:
        ModelError: as the client; `malformed` if the server is no llama.cpp server.
    """
    body = {"content": text, "add_special": special}
    answer = await client.post("/tokenize", body, at_root=True)
    try:
        return [token_id(token) for token in answer["tokens"]]
    except (KeyError, TypeError, ValueError) as err:
        raise ModelError(
            "malformed",
            "the server does not tokenize as llama.cpp does",
            hint="`loglikelihood: llama_cpp` is for llama.cpp's own server",
        ) from err
