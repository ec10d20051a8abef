"""Records for tests, with everything filled in that a test does not care about."""

from __future__ import annotations

import dataclasses
from typing import Any

from llmeval_core import __version__
from llmeval_core.naming import fingerprint, metric_key, task_key
from llmeval_core.records import (
    Aggregate,
    Generation,
    GenerationSettings,
    Loglikelihood,
    Message,
    MetricResult,
    Mode,
    Request,
    Sample,
    TaskResult,
    stop_reason,
)


def make_sample(**changes: Any) -> Sample:
    """Make a sample about the capital of France; Any: fields of Sample."""
    sample = Sample(id="s1", input="What is the capital of France?", references=("Paris",))
    return dataclasses.replace(sample, **changes)


def make_request(text: str = "What is the capital of France?", *, mode: Mode = "chat") -> Request:
    """Make a request; for `loglikelihood` it has the continuations ` Paris` and ` Rome`.

    For `rolling`, its text is the one that is weighed.
    """
    continuations: tuple[str, ...] = (" Paris", " Rome") if mode == "loglikelihood" else ()
    if mode == "rolling":
        text, continuations = "", (text,)
    return Request(
        sample_id="s1",
        mode=mode,
        messages=(Message("user", text),) if mode == "chat" else (),
        prompt="" if mode == "chat" else text,
        continuations=continuations,
        settings=GenerationSettings(max_tokens=16),
        fingerprint=fingerprint([mode, text, list(continuations)]),
    )


def make_generation(*texts: str, logprobs: tuple[float, ...] = ()) -> Generation:
    """Make a generation with these answers, or with these log-likelihoods."""
    return Generation(
        texts=texts,
        loglikelihoods=tuple(Loglikelihood(logprob, 1) for logprob in logprobs),
        finish_reason="stop",
        stop_reasons=tuple([stop_reason("stop")] * len(texts)),
        n_prompt_tokens=5,
        n_completion_tokens=len(texts),
    )


def make_task_result(
    *,
    id: str = "r1",  # noqa: A002  the field's name
    model: str = "fake/model",
    dataset: str = "capitals",
    n_shots: int = 0,
    metrics: dict[str, float | None] | None = None,
    n_failed: int = 0,
    finished_at: float = 1_700_000_000.0,
    **changes: Any,
) -> TaskResult:
    """Make a task's result from metric names and values; Any: more fields of TaskResult."""
    key = task_key(dataset, n_shots)
    values = {"exact_match": 0.5} if metrics is None else metrics
    result = TaskResult(
        id=id,
        model=model,
        task=key,
        dataset=dataset,
        dataset_fingerprint=fingerprint(dataset),
        n_shots=n_shots,
        task_fingerprint=fingerprint([model, key]),
        plan_fingerprint=fingerprint("plan"),
        metrics=tuple(
            MetricResult(
                key=metric_key(key, name),
                metric=name,
                definition=f"{name}@test",
                higher_is_better=True,
                category=None,
                aggregate=Aggregate(
                    value=value,
                    stderr=0.1,
                    stderr_method="test",
                    n_scored=10,
                    n_failed=n_failed,
                ),
            )
            for name, value in values.items()
        ),
        n_samples=10,
        n_failed=n_failed,
        n_prompt_tokens=100,
        n_completion_tokens=20,
        started_at=finished_at - 10,
        finished_at=finished_at,
        settings={},
        llmeval_version=__version__,
    )
    return result.model_copy(update=changes)
