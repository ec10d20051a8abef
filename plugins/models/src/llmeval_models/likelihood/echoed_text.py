"""One echoed text with its log-probabilities, and where its continuation stands in it."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

from llmeval_core.hooks import Loglikelihood, ModelError
from llmeval_models.likelihood.logprobs import MissingLogprobError, logprob

_BYTE = re.compile(r"<0x([0-9A-Fa-f]{2})>")
_BYTES = re.compile(r"bytes:((?:\\x[0-9A-Fa-f]{2})+)")
_MOST_SPECIAL = 3


class TokenBoundaryError(Exception):
    """A token belongs to the prompt and to the continuation.

    Args:
        token: as the server spells it.
    """


@dataclass(frozen=True, slots=True)
class EchoedText:
    """The tokens of a text that a server echoed, with what it generated after it.

    Args:
        tokens: as the server spells them.
        raw: the bytes of each, where the server tells them; None otherwise.
        logprobs: one a token, not looked at yet; Any: JSON.
        tops: the likeliest tokens at each place; None if unknown. Any: JSON.
    """

    tokens: list[str]
    raw: list[bytes] | None
    logprobs: list[Any]
    tops: list[Any] | None


def read_echo(choice: Any) -> EchoedText | None:
    """Read the log-probabilities of one choice; None if it has none. Any: JSON of any shape.

    Both forms are known: that of completions (`tokens`, `token_logprobs`) and that of chats
    (`content`, a list of objects). `text_offset` is not used: servers count in it what is no part
    of the text (vLLM the begin-of-text token), and it drifts where a character has several tokens.

    Raises:
        ModelError: `bad_request`, the lists do not belong together.
    """
    told = choice.get("logprobs") if isinstance(choice, dict) else None
    if not isinstance(told, dict):
        return None
    items = told.get("content")
    if isinstance(items, list) and items and all(isinstance(item, dict) for item in items):
        tokens: Any = [item.get("token") for item in items]
        logprobs: Any = [item.get("logprob") for item in items]
        tops: Any = [_by_token(item.get("top_logprobs")) for item in items]
        raw = _raw([item.get("bytes") for item in items])
    else:
        tokens, logprobs = told.get("tokens"), told.get("token_logprobs")
        tops, raw = told.get("top_logprobs"), _raw(told.get("bytes"))
    if not isinstance(tokens, list) or not isinstance(logprobs, list) or not tokens:
        return None
    if not all(isinstance(token, str) for token in tokens):
        raise ModelError("bad_request", "the server tells tokens that are no texts")
    if len(tokens) != len(logprobs):
        raise ModelError(
            "bad_request",
            f"the server tells {len(tokens)} tokens and {len(logprobs)} log-probabilities",
        )
    if not isinstance(tops, list) or len(tops) != len(tokens):
        tops = None
    return EchoedText(tokens, raw if raw and len(raw) == len(tokens) else None, logprobs, tops)


def find(echo: EchoedText, stem: str, text: str) -> slice | None:
    """Find the tokens of a continuation by spelling the text out of its tokens.

    Tokens before the text (begin-of-text) are passed over. A token may have lost the space before
    it, and a byte may be spelled `<0xE3>`.

    Args:
        echo: the tokens.
        stem: the prompt; it does not end with white space.
        text: the prompt with the continuation.

    Returns:
        The place of its tokens; None if the tokens do not spell the text.

    Raises:
        TokenBoundaryError: a token lies on the boundary.
    """
    whole, boundary = text.encode("utf-8", "replace"), len(stem.encode("utf-8", "replace"))
    at, start = 0, None
    for place, token in enumerate(echo.tokens):
        if at == len(whole):
            return None if start is None else slice(start, place)
        length = _length_at(whole, at, _spellings(token, echo.raw[place] if echo.raw else None))
        if length is None:
            if at == 0 and place < _MOST_SPECIAL:
                continue
            return None
        if at < boundary < at + length:
            raise TokenBoundaryError(token)
        if at >= boundary and start is None and (length or at):
            start = place
        at += length
    if at == len(whole) and start is not None:
        return slice(start, len(echo.tokens))
    return None


def add_up(echo: EchoedText, at: slice) -> Loglikelihood:
    """Add up the tokens of one continuation.

    Raises:
        MissingLogprobError: there are none, or one has no log-probability.
    """
    values = [logprob(value) for value in echo.logprobs[at]]
    if not values:
        raise MissingLogprobError("no token of it came back")
    return Loglikelihood(sum(values), len(values), _is_greedy(echo, at))


def _is_greedy(echo: EchoedText, at: slice) -> bool | None:
    """Whether each token is the likeliest at its place; None if that is not told."""
    if echo.tops is None:
        return None
    for top, token in zip(echo.tops[at], echo.tokens[at], strict=True):
        if not isinstance(top, dict) or not top:
            return None
        try:
            values = {name: logprob(value) for name, value in top.items()}
        except MissingLogprobError:
            return None
        if max(values, key=values.__getitem__) != token:
            return False
    return True


def _spellings(token: str, raw: bytes | None) -> list[bytes]:
    """Give what a token may stand for in the text, likeliest first."""
    if raw is not None:
        return [raw]
    plain = token.encode("utf-8", "replace")
    if byte := _BYTE.fullmatch(token):
        return [plain, bytes.fromhex(byte[1])]
    if several := _BYTES.fullmatch(token):
        return [bytes.fromhex(several[1].replace("\\x", "")), plain]
    if "\u2581" in token:  # SentencePiece's own space
        return [plain, token.replace("\u2581", " ").encode("utf-8", "replace")]
    return [plain]


def _length_at(whole: bytes, at: int, spellings: list[bytes]) -> int | None:
    """Say how much of the text a token stands for at a place; None if it does not stand there."""
    for spelling in spellings:
        if spelling and whole.startswith(spelling, at):
            return len(spelling)
    after = at
    while whole.startswith(b" ", after):
        after += 1
    for spelling in spellings:
        if not spelling:
            return 0 if at else None
        if after > at and whole.startswith(spelling, after):
            return after - at + len(spelling)
        if at == 0 and spelling[:1] == b" " and whole.startswith(spelling[1:]):
            return len(spelling) - 1  # a space that the tokenizer puts before the whole text
    return None


def _by_token(items: Any) -> Any:
    if not isinstance(items, list):
        return None
    return {
        item["token"]: item.get("logprob")
        for item in items
        if isinstance(item, dict) and isinstance(item.get("token"), str)
    }


def _raw(listed: Any) -> list[bytes] | None:
    """Read the bytes of each token; None if one is not told."""
    if not isinstance(listed, list):
        return None
    try:
        return [bytes(one) for one in listed if isinstance(one, list)]
    except (TypeError, ValueError):
        return None
