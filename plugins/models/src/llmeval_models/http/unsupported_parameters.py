"""Request parameters that a model does not support, learned from its error responses.

Reasoning models take no temperature and no stop texts, newer ones call `max_tokens` otherwise, and
gateways reject what they do not know. The first error response says so; from then on the parameter
is left out, or sent under its other name.
"""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable
from dataclasses import replace
from typing import Any

from llmeval_core.hooks import Generation, ModelError
from llmeval_models.http.error_body import ErrorBody

LEFT_OUT = ("temperature", "top_p", "seed", "stop")
"""Settings that a model can be asked without."""
MAX_TOKENS = ("max_tokens", "max_completion_tokens")
"""Two names of one setting."""

_MAY_REFUSE = (400, 422)
_REFUSES = re.compile(
    r"unsupported|not (?:currently |yet )?support|n['’]t (?:currently )?support|unrecogni[sz]ed"
    r"|unknown (?:request )?(?:parameter|name|field|argument|key|property)"
    r"|unexpected (?:keyword|parameter|field|argument|key|property)"
    r"|extra inputs? (?:are|is) not|extra_forbidden|extra fields? not|extraneous (?:key|field)"
    r"|not (?:permitted|allowed|available|accepted|compatible)|incompatible"
    r"|deprecated for this model|only the default|only be set to|only \S+ is (?:supported|allowed)"
    r"|not a valid (?:field|parameter|argument|property)|cannot both be|strictly positive"
    r"|\buse\b.{0,40}\binstead\b|fixed (?:at|to)|deprecated in favou?r of"
    r"|(?:should|must) be (?:equal to )?1(?![\d.]*\d)|不支持|不被支持"
    r"|サポートされ(?:て(?:い)?ません|ない)",
    re.IGNORECASE,
)
_THOUGHT_ENDS = "</think>"
_NOUN = r"(?:parameter|argument|field|key|name|propert(?:y|ies)|option|setting|input)s?(?:\(s\))?"


class UnsupportedParameterError(ModelError):
    """The server does not take some keys of a request.

    Args:
        names: those of `LEFT_OUT` and `MAX_TOKENS` that it names.
    """

    def __init__(self, what: str, *, where: str | None, names: frozenset[str]) -> None:
        left_out = ", ".join(f"{name}: null" for name in sorted(names))
        hint = f"leave it out: `generation: {{{left_out}}}`"
        super().__init__("bad_request", what, where=where, hint=hint)
        self.names = names


def unsupported_parameters(status: int, body: ErrorBody) -> frozenset[str]:
    """Name the parameters that an error response rejects; empty if it is about something else."""
    if status not in _MAY_REFUSE or not _REFUSES.search(f"{body.code} {body.message}"):
        return frozenset()
    known = (*LEFT_OUT, *MAX_TOKENS)
    if body.parameters:
        named = {parameter.rpartition(".")[2].strip("[]'\"`") for parameter in body.parameters}
        return frozenset(name for name in known if name in named)
    named = {name for name in known if _is_named(name, body.message)}
    if set(MAX_TOKENS) <= named:  # one of them is what to use instead
        named -= {_proposed(body.message)}
    return frozenset(named)


def _is_named(name: str, message: str) -> bool:
    if name != "stop":  # which is an ordinary word too
        return re.search(rf"(?<![\w-]){name}(?![\w-])", message) is not None
    forms = (
        rf"[\"'`‘“\[(]\s*{name}\s*[\"'`’”\])]",
        rf"\b{_NOUN}\s*[:=]?\s*{name}\b",
        rf"\b{name}\b\s+(?:parameter|is not|isn't|are not|sequences?)",
        rf"support(?:s|ed|ing)?\s+(?:the\s+)?{name}\b",
        rf"[:,]\s*{name}\b(?=\s*(?:,|\.|$|and\b))",
    )
    return any(re.search(form, message) for form in forms)


def _proposed(message: str) -> str:
    """Tell which name of `max_tokens` a message proposes."""
    found = re.search(
        r"\b(?:use|in favou?r of)\W{1,4}(max_(?:completion_)?tokens)\b", message, re.IGNORECASE
    )
    return found[1].lower() if found else "max_completion_tokens"


class UnsupportedParameters:
    """The parameters that one model does not support; shared by all requests to it.

    Args:
        known: those known before the first request.
    """

    def __init__(self, known: frozenset[str] = frozenset()) -> None:
        self._names = set(known)

    def learn(self, error: UnsupportedParameterError, sent: dict[str, Any]) -> bool:
        """Note an error response; whether the request can be sent again without those parameters.

        Many requests are rejected at once, and each is sent again: what counts is what this one had
        in it, not what is known meanwhile.
        """
        found = [name for name in error.names if name in sent]
        self._names.update(found)
        return bool(found)

    def without(self, body: dict[str, Any]) -> tuple[dict[str, Any], tuple[str, ...]]:
        """Return a request as this model takes it, and the settings it goes without."""
        if not self._names:
            return body, ()
        left = dict(body)
        not_sent = [name for name in LEFT_OUT if name in self._names and name in left]
        for name in not_sent:
            del left[name]
        for name, other in (MAX_TOKENS, MAX_TOKENS[::-1]):
            if name in left and name in self._names:
                value = left.pop(name)
                if other not in self._names:
                    left[other] = value
                elif other not in left:
                    not_sent.append("max_tokens")
        return left, tuple(not_sent)

    async def ask(
        self, body: dict[str, Any], post: Callable[[dict[str, Any]], Awaitable[Any]]
    ) -> tuple[Any, tuple[str, ...]]:
        """Send a request, again at once without what the model does not support; Any: JSON.

        Args:
            body: the request.
            post: sends it.

        Returns:
            The answer, and the settings that it was asked without.

        Raises:
            ModelError: what `post` raises, but for parameters that can be left out.
        """
        while True:
            sent, not_sent = self.without(body)
            try:
                return await post(sent), not_sent
            except UnsupportedParameterError as err:
                if not self.learn(err, sent):
                    raise


def asked_without(
    generation: Generation, not_sent: tuple[str, ...], stop: tuple[str, ...]
) -> Generation:
    """Note what an answer was asked without; where that are stop texts, end it at the first."""
    if "stop" not in not_sent:
        return replace(generation, not_sent=not_sent)
    texts = tuple([_cut(text, stop) for text in generation.texts])
    reasons = tuple(
        [
            reason if cut == text else "stop"
            for reason, cut, text in zip(
                generation.stop_reasons, texts, generation.texts, strict=False
            )
        ]
    )
    return replace(generation, texts=texts, stop_reasons=reasons, not_sent=not_sent)


def _cut(text: str, stop: tuple[str, ...]) -> str:
    """End a text at the first stop text that is not part of a thought."""
    begin = text.rfind(_THOUGHT_ENDS) + 1
    ends = [end for mark in stop if mark and (end := text.find(mark, begin)) >= 0]
    return text[: min(ends)] if ends else text
