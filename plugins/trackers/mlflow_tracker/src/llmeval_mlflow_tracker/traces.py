"""Samples as traces of a run: sent many in one call, replaced when the task is evaluated again."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Iterator
from dataclasses import asdict, replace
from itertools import islice
from typing import Any

from llmeval_core.hooks import (
    Generation,
    ImagePart,
    Message,
    ReasoningFinder,
    Request,
    SampleResult,
    TaskResult,
    TextPart,
    chat_message,
    reasoning_finder,
    split_answers,
)
from llmeval_mlflow_tracker.mlflow_client import DeadlineSession
from llmeval_mlflow_tracker.names import HIDDEN, MAX_TAG, legal_key, short_value
from llmeval_mlflow_tracker.table import expected_of

_MAX_TRACES_PER_CALL = 100  # `link_traces_to_run` takes no more
_MAX_IMAGE_BYTES = 65_536
_LOG_SPANS = "_tracking_client.store.log_spans"  # the client has no method for many at once
_PREFIX = "mlflow.traceTag."


def traces_tag(task: str) -> str:
    """Return the key of the tag with the result that a task's traces are of, and their number."""
    return legal_key(f"{HIDDEN}traces.{task}")


def send_traces(
    session: DeadlineSession, run: Any, result: TaskResult, samples: Iterable[SampleResult]
) -> str:
    """Send a trace for each sample, and link them to the run; return the value of `traces_tag`.

    A sample of several turns has a span for each, below that of the sample.

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
        roots = [_span(session, run_id, result, sample, finder) for sample in some]
        turns = [
            span
            for root, sample in zip(roots, some, strict=True)
            for span in _turn_spans(session, root, sample, finder)
        ]
        session.call(_LOG_SPANS, experiment_id, [*roots, *turns])
        session.call("link_traces_to_run", [span.trace_id for span in roots], run_id)
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
    generation = sample.generation
    end = result.finished_at
    latencies = [turn.generation.latency_s for turn in sample.turns]
    if not latencies and generation is not None:
        latencies = [generation.latency_s]
    begin = end - sum(latencies)
    state = {"code": "STATUS_CODE_OK", "message": ""}
    if sample.failure is not None:
        state = {"code": "STATUS_CODE_ERROR", "message": sample.failure_text}
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


def _turn_spans(
    session: DeadlineSession, root: Any, sample: SampleResult, finder: ReasoningFinder
) -> Iterator[Any]:
    """Make the spans of a sample's turns, one after the other; Any: as in `_span`."""
    begin = root.start_time_ns
    for number, turn in enumerate(sample.turns, start=1):
        end = begin + round(turn.generation.latency_s * 1e9)
        key = f"{root.trace_id}/{number}".encode()
        yield session.connection.entities.Span.from_dict(
            {
                "name": f"{turn.role} {number}",
                "trace_id": root.trace_id,
                "span_id": hashlib.blake2b(key, digest_size=8).hexdigest(),
                "parent_span_id": root.span_id,
                "start_time_unix_nano": begin,
                "end_time_unix_nano": end,
                "status": {"code": "STATUS_CODE_OK", "message": ""},
                "attributes": {
                    name: json.dumps(value, ensure_ascii=False)
                    for name, value in (
                        ("mlflow.traceRequestId", root.trace_id),
                        ("mlflow.spanType", "CHAT_MODEL"),
                        *_exchange(turn.request, turn.generation, finder),
                        *_usage(turn.generation),
                    )
                },
            }
        )
        begin = end


def _attributes(
    trace_id: str, result: TaskResult, sample: SampleResult, finder: ReasoningFinder
) -> Iterator[tuple[str, object]]:
    """Yield the span's attributes; those that begin with `_PREFIX` become the trace's tags."""
    request, generation = sample.request, sample.generation
    yield "mlflow.traceRequestId", trace_id
    yield "mlflow.spanType", "AGENT" if sample.turns else "CHAT_MODEL"
    yield "mlflow.llm.model", result.model
    if request is None:
        yield "mlflow.spanInputs", sample.sample.input_text
    yield from _exchange(request, generation, finder)
    if generation is not None and not sample.turns:  # else each turn tells its own
        yield from _usage(generation)
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


def _exchange(
    request: Request | None, generation: Generation | None, finder: ReasoningFinder
) -> Iterator[tuple[str, object]]:
    """Yield what was asked and answered."""
    if request is not None and request.messages:
        messages = [chat_message(_with_small_images(item)) for item in request.messages]
        yield "mlflow.spanInputs", {"messages": messages}
    elif request is not None:
        yield "mlflow.spanInputs", request.prompt
    if generation is None:
        return
    answers: list[object] = [
        {"reasoning": one.reasoning, "answer": one.answer} if one.reasoning else one.answer
        for one in split_answers(generation, finder)
    ]
    if generation.tool_calls:
        said = Message("assistant", generation.text, generation.tool_calls)
        answers = [chat_message(said)]
    answers = answers or [asdict(item) for item in generation.loglikelihoods]
    yield "mlflow.spanOutputs", answers[0] if len(answers) == 1 else answers


def _with_small_images(message: Message) -> Message:
    """Tell a large image by type, size and digest: a hundred traces go in one call."""
    if isinstance(message.content, str):
        return message
    content = tuple(
        TextPart(f"({part.media_type}, {len(part.data):,} bytes, sha256 {part.digest})")
        if isinstance(part, ImagePart) and len(part.data) > _MAX_IMAGE_BYTES
        else part
        for part in message.content
    )
    return replace(message, content=content)


def _usage(generation: Generation) -> Iterator[tuple[str, object]]:
    """Yield what an answer used."""
    n_in, n_out = generation.n_prompt_tokens, generation.n_completion_tokens
    if n_in is not None and n_out is not None:
        usage = {"input_tokens": n_in, "output_tokens": n_out, "total_tokens": n_in + n_out}
        yield "mlflow.chat.tokenUsage", usage
    if generation.n_reasoning_tokens is not None:
        yield "llmeval.reasoning_tokens", generation.n_reasoning_tokens
    if generation.refusal is not None:
        yield "llmeval.refusal", generation.refusal
