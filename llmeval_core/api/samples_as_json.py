"""One sample as JSON: what was asked, answered, expected and scored."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

from llmeval_core.records import (
    Failure,
    Generation,
    Request,
    Sample,
    SampleResult,
    Score,
    chat_message,
)


def sample_json(result: SampleResult) -> dict[str, Any]:
    """Return everything about a finished sample; Any: JSON."""
    whole = {
        "index": result.index,
        **expected_json(result.sample),
        "asked": asked_json(result.request) if result.request is not None else None,
        "answered": _answered(result.generation) if result.generation is not None else None,
        "scores": _scores_json(result.scores),
        "outcome": result.outcome,
        "failure": _failure_json(result.failure) if result.failure is not None else None,
    }
    if result.metric_failures:
        failures = result.metric_failures.items()
        whole["metric_failures"] = {name: _failure_json(failure) for name, failure in failures}
    if result.turns:
        whole["turns"] = [
            {
                "role": turn.role,
                "asked": asked_json(turn.request),
                "answered": _answered(turn.generation),
            }
            for turn in result.turns
        ]
    return whole


def expected_json(sample: Sample) -> dict[str, Any]:
    """Return the sample itself; Any: JSON."""
    return {
        "id": sample.id,
        "category": sample.category,
        "input": sample.input
        if isinstance(sample.input, str)
        else [chat_message(turn) for turn in sample.input],
        "expected": {
            "references": list(sample.references),
            "choices": list(sample.choices),
            "answer": sample.answer,
        },
    }


def asked_json(request: Request) -> dict[str, Any]:
    """Return what was sent; Any: JSON."""
    asked: dict[str, Any] = {
        "mode": request.mode,
        "messages": [chat_message(message) for message in request.messages],
        "prompt": request.prompt or None,
        "continuations": list(request.continuations),
    }
    if request.tools:
        asked["tools"] = [asdict(tool) for tool in request.tools]
    return asked


def _scores_json(scores: Mapping[str, Score]) -> dict[str, Any]:
    return {
        name: {"value": score.value, "parsed": score.parsed}
        | ({} if score.details is None else {"details": score.details})
        for name, score in scores.items()
    }


def _failure_json(failure: Failure) -> dict[str, Any]:
    return {"kind": failure.kind, "message": failure.message}


def _answered(generation: Generation) -> dict[str, Any]:
    """Return an answer; without what it said about the server's quota, which is over long ago."""
    answered = asdict(generation)
    del answered["retry_after_s"]
    if not generation.tool_calls:
        del answered["tool_calls"]
    return answered
