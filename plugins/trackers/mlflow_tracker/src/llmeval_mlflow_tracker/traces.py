"""Samples as traces of a run: sent many in one call, replaced when the task is evaluated again."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Iterator
from dataclasses import asdict
from itertools import islice
from typing import Any

from llmeval_core.hooks import (
    ReasoningFinder,
    SampleResult,
    TaskResult,
    chat_message,
    reasoning_finder,
    split_answers,
)
from llmeval_mlflow_tracker.mlflow_client import DeadlineSession
from llmeval_mlflow_tracker.names import HIDDEN, MAX_TAG, legal_key, short_value
from llmeval_mlflow_tracker.table import expected_of

_MAX_TRACES_PER_CALL = 100  # `link_traces_to_run` takes no more
_LOG_SPANS = "_tracking_client.store.log_spans"  # the client has no method for many at once
_PREFIX = "mlflow.traceTag."


def traces_tag(task: str) -> str:
    """Return the key of the tag with the result that a task's traces are of, and their number."""
    return legal_key(f"{HIDDEN}traces.{task}")


def send_traces(
    session: DeadlineSession, run: Any, result: TaskResult, samples: Iterable[SampleResult]
) -> str:
    """Send a trace for each sample, and link them to the run; return the value of `traces_tag`.

    A trace's id follows from run, result and sample: sent again it changes nothing.

    Any: mlflow's run.

    Raises:
        MlflowError: MLflow refused; some of them may be there.
    """
    run_id, experiment_id = str(run.info.run_id), str(run.info.experiment_id)
    finder = reasoning_finder(result.settings)
    stream = iter(samples)
    n_sent = 0
    while some := list(islice(stream, _MAX_TRACES_PER_CALL)):
        spans = [_span(session, run_id, result, sample, finder) for sample in some]
        session.call(_LOG_SPANS, experiment_id, spans)
        session.call("link_traces_to_run", [span.trace_id for span in spans], run_id)
        n_sent += len(some)
    return f"{result.id} {n_sent}"


def delete_traces(session: DeadlineSession, run: Any, tag: str, *, kept: str) -> None:
    """Delete the traces of an older result of the same task.

    Args:
        session: how to ask MLflow.
        run: mlflow's run, of Any type.
        tag: the value of `traces_tag` before.
        kept: its value now.

    Raises:
        MlflowError: MLflow refused; they stay.
    """
    result_id, _, number = tag.partition(" ")
    if not number.isdigit() or result_id == kept.partition(" ")[0]:
        return
    ids = [_trace_id(str(run.info.run_id), result_id, index) for index in range(int(number))]
    for start in range(0, len(ids), _MAX_TRACES_PER_CALL):
        session.call(
            "delete_traces",
            str(run.info.experiment_id),
            trace_ids=ids[start : start + _MAX_TRACES_PER_CALL],
        )


def _trace_id(run_id: str, result_id: str, index: int) -> str:
    key = f"{run_id}/{result_id}/{index}".encode()
    return "tr-" + hashlib.blake2b(key, digest_size=16).hexdigest()


def _span(
    session: DeadlineSession,
    run_id: str,
    result: TaskResult,
    sample: SampleResult,
    finder: ReasoningFinder,
) -> Any:
    """Make mlflow's span of one sample; Any: mlflow has no useful type information."""
    trace_id = _trace_id(run_id, result.id, sample.index)
    generation, failure = sample.generation, sample.failure
    end = result.finished_at
    begin = end - (generation.latency_s if generation is not None else 0)
    state = {"code": "STATUS_CODE_OK", "message": ""}
    if failure is not None:
        state = {"code": "STATUS_CODE_ERROR", "message": f"{failure.kind}: {failure.message}"}
    return session.connection.entities.Span.from_dict(
        {
            "name": result.task,
            "trace_id": trace_id,
            "span_id": trace_id[3:19],
            "parent_span_id": "",
            "start_time_unix_nano": round(begin * 1e9),
            "end_time_unix_nano": round(end * 1e9),
            "status": state,
            "attributes": {
                key: json.dumps(value, ensure_ascii=False)
                for key, value in _attributes(trace_id, result, sample, finder)
            },
        }
    )


def _attributes(
    trace_id: str, result: TaskResult, sample: SampleResult, finder: ReasoningFinder
) -> Iterator[tuple[str, object]]:
    """Yield the span's attributes; those that begin with `_PREFIX` become the trace's tags."""
    request, generation = sample.request, sample.generation
    yield "mlflow.traceRequestId", trace_id
    yield "mlflow.spanType", "CHAT_MODEL"
    yield "mlflow.llm.model", result.model
    if request is not None and request.messages:
        yield "mlflow.spanInputs", {"messages": [chat_message(item) for item in request.messages]}
    else:
        yield (
            "mlflow.spanInputs",
            request.prompt if request is not None else sample.sample.input_text,
        )
    if generation is not None:
        answers: list[object] = [
            {"reasoning": one.reasoning, "answer": one.answer} if one.reasoning else one.answer
            for one in split_answers(generation, finder)
        ]
        answers = answers or [asdict(item) for item in generation.loglikelihoods]
        yield "mlflow.spanOutputs", answers[0] if len(answers) == 1 else answers
        n_in, n_out = generation.n_prompt_tokens, generation.n_completion_tokens
        if n_in is not None and n_out is not None:
            usage = {"input_tokens": n_in, "output_tokens": n_out, "total_tokens": n_in + n_out}
            yield "mlflow.chat.tokenUsage", usage
        if generation.n_reasoning_tokens is not None:
            yield "llmeval.reasoning_tokens", generation.n_reasoning_tokens
        if generation.refusal is not None:
            yield "llmeval.refusal", generation.refusal
    expected = expected_of(sample.sample)
    tags = {
        "task": result.task,
        "sample": sample.sample.id,
        "expected": expected,
        "outcome": sample.outcome,
    }
    for name, score in sample.scores.items():
        if score.value is not None:
            tags[name] = str(score.value)
    for name, text in tags.items():
        yield _PREFIX + legal_key(name), short_value(text, MAX_TAG)[0]
