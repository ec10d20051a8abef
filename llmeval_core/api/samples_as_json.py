"""One sample as JSON: what was asked, answered, expected and scored."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

from llmeval_core.records import Generation, Request, Sample, SampleResult, Score


def sample_json(result: SampleResult) -> dict[str, Any]:
    """Return everything about a finished sample; Any: JSON."""
    return {
        "index": result.index,
        **expected_json(result.sample),
        "asked": asked_json(result.request) if result.request is not None else None,
        "answered": _answered(result.generation) if result.generation is not None else None,
        "scores": _scores_json(result.scores),
        "outcome": result.outcome,
        "failure": {"kind": result.failure.kind, "message": result.failure.message}
        if result.failure is not None
        else None,
    }


def expected_json(sample: Sample) -> dict[str, Any]:
    """Return the sample itself; Any: JSON."""
    return {
        "id": sample.id,
        "category": sample.category,
        "input": sample.input
        if isinstance(sample.input, str)
        else [asdict(turn) for turn in sample.input],
        "expected": {
            "references": list(sample.references),
            "choices": list(sample.choices),
            "answer": sample.answer,
        },
    }


def asked_json(request: Request) -> dict[str, Any]:
    """Return what was sent; Any: JSON."""
    return {
        "mode": request.mode,
        "messages": [asdict(message) for message in request.messages],
        "prompt": request.prompt or None,
        "continuations": list(request.continuations),
    }


def _scores_json(scores: Mapping[str, Score]) -> dict[str, Any]:
    return {name: {"value": score.value, "parsed": score.parsed} for name, score in scores.items()}


def _answered(generation: Generation) -> dict[str, Any]:
    """Return an answer; without what it said about the server's quota, which is over long ago."""
    answered = asdict(generation)
    del answered["retry_after_s"]
    return answered
