"""What a model gives is checked once, before anything is made of it."""

from __future__ import annotations

from typing import TypeGuard, get_args

from llmeval_core.errors import ModelError, PluginError
from llmeval_core.records import Generation, Loglikelihood, Request, StopReason, ToolCall
from llmeval_core.tokens import MOST_TOKENS

_MOST = 1e300
"""Finite also as an integer: one of 400 digits is smaller than infinity and is no float."""
_STOP_REASONS = frozenset(get_args(StopReason))


def check_generation(request: Request, generation: object) -> None:
    """Refuse what is no answer to a request, whatever plugin it comes from.

    Everything after this relies on it: scores, budgets, and the journal, which must be able to
    keep it and to read it again. Called once an attempt, so it only compares.

    Raises:
        PluginError: it is no Generation at all.
        ModelError: `malformed`, a field has a type or a value that it cannot have; `bad_request`,
            there are fewer or more answers than were asked for.
    """
    if not isinstance(generation, Generation):
        raise PluginError(
            f"the model gave a {type(generation).__name__}, not a Generation",
            hint="this is a bug in the plugin; tell its author",
        )
    if _is_plain(request, generation):
        return
    problem = (
        _problem_of_answers(request, generation)
        or _problem_of_counts(generation)
        or _problem_of_words(generation)
        or _problem_of_lists(generation)
    )
    if problem is not None:
        raise ModelError("malformed", f"the model's answer is not usable: {problem}")
    if not request.continuations and len(generation.texts) != request.settings.n:
        raise ModelError(
            "bad_request",
            f"asked for {request.settings.n} answers, got {len(generation.texts)}",
            hint="this model does not know `n`; leave it at 1",
        )


def _is_plain(request: Request, generation: Generation) -> bool:
    """Whether it is one text with sound counts and words: nearly all are, quickly seen."""
    texts, reasons, latency_s = generation.texts, generation.stop_reasons, generation.latency_s
    return (
        type(texts) is tuple
        and len(texts) == request.settings.n == 1
        and type(texts[0]) is str
        and not request.continuations
        and generation.loglikelihoods == ()
        and type(reasons) is tuple
        and len(reasons) == 1
        and type(reasons[0]) is str
        and reasons[0] in _STOP_REASONS
        and generation.reasonings == generation.not_sent == generation.tool_calls == ()
        and type(latency_s) is float
        and 0 <= latency_s < _MOST
        and generation.n_reasoning_tokens is generation.refusal is generation.retry_after_s is None
        and _is_count(generation.n_prompt_tokens)
        and _is_count(generation.n_completion_tokens)
        and _is_word(generation.finish_reason)
        and _is_word(generation.served_by)
    )


def _is_word(value: object) -> bool:
    return value is None or type(value) is str


def _problem_of_answers(request: Request, generation: Generation) -> str | None:
    """Say what is wrong with texts or log-likelihoods; None if nothing is."""
    texts, likelihoods = generation.texts, generation.loglikelihoods
    if not isinstance(texts, tuple):
        return f"texts is of type {_kind(texts)}, not a tuple"
    for text in texts:
        if not isinstance(text, str):
            return f"a text is of type {_kind(text)}"
    if not isinstance(likelihoods, tuple):
        return f"loglikelihoods is of type {_kind(likelihoods)}, not a tuple"
    if len(likelihoods) != len(request.continuations):
        return f"{len(likelihoods)} log-likelihoods for {len(request.continuations)} choices"
    for item in likelihoods:
        problem = _problem_of_likelihood(item)
        if problem is not None:
            return problem
    return None


def _problem_of_likelihood(item: object) -> str | None:
    if not isinstance(item, Loglikelihood):
        return f"a log-likelihood is of type {_kind(item)}"
    if not _is_number(item.logprob) or not -_MOST < item.logprob <= 0:
        return f"a log-likelihood is {_shown(item.logprob)}, not a number up to 0"
    if not _is_count(item.n_tokens):
        return f"the n_tokens of a choice is {_shown(item.n_tokens)}"
    if item.is_greedy is not None and not isinstance(item.is_greedy, bool):
        return f"is_greedy is of type {_kind(item.is_greedy)}"
    return None


def _problem_of_counts(generation: Generation) -> str | None:
    for name, count in (
        ("n_prompt_tokens", generation.n_prompt_tokens),
        ("n_completion_tokens", generation.n_completion_tokens),
        ("n_reasoning_tokens", generation.n_reasoning_tokens),
    ):
        if not _is_count(count):
            return f"{name} is {_shown(count)}"
    for name, seconds in (
        ("latency_s", generation.latency_s),
        ("retry_after_s", generation.retry_after_s),
    ):
        if seconds is None and name == "retry_after_s":
            continue
        if not _is_number(seconds) or not 0 <= seconds < _MOST:
            return f"{name} is {_shown(seconds)}"
    return None


def _problem_of_words(generation: Generation) -> str | None:
    for name, word in (
        ("finish_reason", generation.finish_reason),
        ("served_by", generation.served_by),
        ("refusal", generation.refusal),
    ):
        if word is not None and not isinstance(word, str):
            return f"{name} is of type {_kind(word)}"
    if generation.not_sent != () and not _is_texts(generation.not_sent):
        return "not_sent is not a tuple of names"
    if generation.tool_calls != () and not _are_calls(generation.tool_calls):
        return "tool_calls is not a tuple of calls with an id, a name and arguments as text"
    return None


def _problem_of_lists(generation: Generation) -> str | None:
    """Say what is wrong with what there is one of for each text; None if nothing is."""
    reasons, thoughts = generation.stop_reasons, generation.reasonings
    n_texts = len(generation.texts)
    if reasons != ():
        if not isinstance(reasons, tuple) or len(reasons) != n_texts:
            return "stop_reasons is not one word for each text"
        for reason in reasons:
            if not isinstance(reason, str) or reason not in _STOP_REASONS:
                return f"a stop reason is {_shown(reason)}"
    if thoughts != ():
        if not isinstance(thoughts, tuple) or len(thoughts) != n_texts:
            return "reasonings is not one text or None for each text"
        for thought in thoughts:
            if thought is not None and not isinstance(thought, str):
                return f"a reasoning is of type {_kind(thought)}"
    return None


def _are_calls(value: object) -> bool:
    return isinstance(value, tuple) and all(
        isinstance(call, ToolCall) and _is_texts((call.id, call.name, call.arguments))
        for call in value
    )


def _is_texts(value: object) -> bool:
    return isinstance(value, tuple) and all(isinstance(item, str) for item in value)


def _is_number(value: object) -> TypeGuard[float]:
    return isinstance(value, (float, int)) and not isinstance(value, bool)


def _is_count(value: object) -> bool:
    """Whether it is None, or a number of tokens that can be."""
    if value is None:
        return True
    return isinstance(value, int) and not isinstance(value, bool) and 0 <= value <= MOST_TOKENS


def _kind(value: object) -> str:
    return type(value).__name__


def _shown(value: object) -> str:
    """Show a number, of other things and of very long numbers only the type."""
    if isinstance(value, float) or (isinstance(value, int) and -MOST_TOKENS <= value <= 10**18):
        return repr(value)
    if isinstance(value, str):
        return repr(value[:40])
    return f"of type {_kind(value)}"
