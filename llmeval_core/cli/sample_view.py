"""One sample for people: what was asked, answered, expected and scored."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from llmeval_core.api import (
    Generation,
    ReasoningFinder,
    Request,
    Sample,
    SampleResult,
    Score,
    Turn,
    call_line,
    message_line,
    split_answers,
    told_turns,
)

Parts = list[tuple[str, str]]
"""Labels and texts, as `console.echo_block` prints them."""
_MOST_REASONING_CHARACTERS = 300


def asked(request: Request) -> Parts:
    """Show the messages or the prompt, and the continuations that are weighed."""
    parts = [("asked", message_line(message)) for message in request.messages]
    if request.prompt:
        parts.append(("asked", request.prompt))
    parts += [("weighed", repr(text)) for text in request.continuations]
    return parts


def conversation(turns: Iterable[Turn], reasoning: ReasoningFinder) -> Parts:
    """Show several turns as one conversation with each role: of each request only what is new."""
    parts: Parts = []
    for told in told_turns(turns, reasoning):
        turn = told.turn
        questions = asked(replace(turn.request, messages=told.messages))
        answers = _answered(turn.request, turn.generation, reasoning)
        if turn.role != "model":
            questions = [(f"to {turn.role}", text) for _, text in questions]
            answers = [(turn.role, text) for _, text in answers]
        parts += [*questions, *answers]
    return parts


def expected(sample: Sample) -> Parts:
    """Show the right choice or the accepted answers."""
    if sample.answer is not None and sample.answer < len(sample.choices):
        letter = chr(ord("A") + sample.answer)
        return [("expected", f"{letter}. {sample.choices[sample.answer]}")]
    return [("expected", text) for text in sample.references] or [("expected", "(no reference)")]


def result_parts(result: SampleResult, reasoning: ReasoningFinder) -> Parts:
    """Show everything about a finished sample; its reasoning only as far as a few lines."""
    if result.turns:
        parts = conversation(result.turns, reasoning)
    elif result.request is not None:
        parts = asked(result.request)
    else:
        parts = [("input", result.sample.input_text)]
    if result.generation is not None and not result.turns:
        parts += _answered(result.request, result.generation, reasoning)
    parts += expected(result.sample)
    if result.failure is not None:
        parts += [("failed", f"{result.failure.kind}: {reason}") for reason in result.reasons]
    parts += [("scored", _scored(name, score)) for name, score in sorted(result.scores.items())]
    return parts


def _answered(request: Request | None, generation: Generation, reasoning: ReasoningFinder) -> Parts:
    parts: Parts = []
    for parted in split_answers(generation, reasoning):
        if parted.reasoning:
            parts.append(("thought", _shortened(parted.reasoning, generation)))
        parts.append(("answered", parted.answer))
    if generation.tool_calls and not generation.text:
        parts = [part for part in parts if part != ("answered", "")]
    parts += [("called", call_line(call)) for call in generation.tool_calls]
    if generation.refusal is not None:
        parts.append(("refused", generation.refusal))
    continuations = request.continuations if request is not None else ()
    for text, found in zip(continuations, generation.loglikelihoods, strict=False):
        parts.append(("answered", f"{found.logprob:9.3f}  {text!r}"))
    return parts or [("answered", "")]


def _shortened(thought: str, generation: Generation) -> str:
    """Cut a long thought, and say how long it is."""
    n_tokens = generation.n_reasoning_tokens
    size = f"{n_tokens:,} tokens" if n_tokens is not None else f"{len(thought):,} characters"
    if len(thought) <= _MOST_REASONING_CHARACTERS:
        return thought if n_tokens is None else f"{thought} ({size})"
    return f"{thought[:_MOST_REASONING_CHARACTERS].rstrip()} … ({size}; --json has all)"


def _scored(name: str, score: Score) -> str:
    value = "no number of its own" if score.value is None else f"{score.value:g}"
    return f"{name} {value}" + (f", found {score.parsed!r}" if score.parsed is not None else "")
