"""Traces of samples: linked to the run, replaced, and never in the way of the numbers."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from mlflow.tracking import MlflowClient

from llmeval_core.hooks import (
    Generation,
    GenerationSettings,
    ImagePart,
    Message,
    Request,
    Sample,
    SampleResult,
    Score,
    TaskResult,
    TextPart,
    ToolCall,
    Turn,
)

ResultFactory = Callable[..., TaskResult]
TrackerFactory = Callable[..., Any]
EXPERIMENT = "with_traces"


def traces_of(uri: str, model: str) -> list[Any]:
    client: Any = MlflowClient(uri)  # mlflow's types are loose
    experiment = client.get_experiment_by_name(EXPERIMENT).experiment_id
    (run,) = client.search_runs([experiment], f"params.model_name = '{model}'")
    found = client.search_traces(locations=[experiment], run_id=run.info.run_id, max_results=500)
    return sorted(found, key=lambda trace: trace.info.tags["sample"])


@pytest.fixture(params=["server", "embedded"])
def place(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    if request.param == "embedded":
        return f"sqlite:///{tmp_path}/traces.db"
    return str(request.getfixturevalue("server").url)


async def test_samples_become_traces_of_the_run(
    open_tracker: TrackerFactory, make_result: ResultFactory, place: str
) -> None:
    tracker = await open_tracker(tracking_uri=place, traces=2, experiment=EXPERIMENT)

    receipt = await tracker.deliver(make_result(model="openai/traced"))

    assert receipt.note is None
    traces = traces_of(place, "openai/traced")
    assert [trace.info.tags["sample"] for trace in traces] == ["s0", "s1"]
    (span,) = traces[0].data.spans
    assert (span.inputs, span.outputs, span.name) == ("question 0", "yes", "aio_0shot")
    tags = traces[0].info.tags
    assert (tags["expected"], tags["accuracy"], tags["task"]) == ("yes", "1.0", "aio_0shot")


def talk(result: TaskResult) -> list[SampleResult]:
    """Give one sample of two turns and a judge, with the call of a tool."""

    def request(*messages: Message) -> Request:
        return Request("s0", "chat", messages, "", (), GenerationSettings(), "0" * 32)

    hello = Message("user", "hello")
    calls = (ToolCall("c1", "look", "{}"),)
    looked = (hello, Message("assistant", "", calls), Message("tool", "cat", tool_call_id="c1"))
    turns = (
        Turn("model", request(hello), Generation(("",), tool_calls=calls, latency_s=1.0)),
        Turn("model", request(*looked), Generation(("a cat",), latency_s=2.0)),
        Turn("judge", request(Message("user", "right?")), Generation(("yes",), latency_s=0.5)),
    )
    sample = Sample("s0", "hello", ("a cat",))
    scores = {"accuracy": Score(1.0)}
    asked, answered = turns[1].request, turns[1].generation
    return [SampleResult(0, sample, asked, answered, scores, turns=turns)]


async def test_each_turn_of_a_sample_has_a_span(
    open_tracker: TrackerFactory, make_result: ResultFactory, tmp_path: Path
) -> None:
    place = f"sqlite:///{tmp_path}/traces.db"
    tracker = await open_tracker(tracking_uri=place, traces=2, experiment=EXPERIMENT, samples=talk)

    receipt = await tracker.deliver(make_result(model="openai/talk", n_samples=1))

    assert receipt.note is None
    (trace,) = traces_of(place, "openai/talk")
    root, *turns = sorted(trace.data.spans, key=lambda span: (span.start_time_ns, span.name))
    assert (root.name, root.outputs) == ("aio_0shot", "a cat")
    assert [span.name for span in turns] == ["model 1", "model 2", "judge 3"]
    assert {span.parent_id for span in turns} == {root.span_id}
    assert turns[0].outputs["tool_calls"][0]["function"]["name"] == "look"
    assert turns[1].inputs["messages"][-1] == {
        "role": "tool",
        "content": "cat",
        "tool_call_id": "c1",
    }
    assert turns[2].end_time_ns == root.end_time_ns


async def test_a_large_image_is_told_by_its_digest(
    open_tracker: TrackerFactory, make_result: ResultFactory, place: str
) -> None:
    small, large = ImagePart("image/png", b"small"), ImagePart("image/png", b"large" * 20_000)
    asked = Message("user", (TextPart("Which?"), small, large))
    request = Request("s0", "chat", (asked,), "", (), GenerationSettings(), "0" * 32)
    seen = SampleResult(0, Sample("s0", (asked,)), request, Generation(("the first",)), {})
    tracker = await open_tracker(
        tracking_uri=place, traces=2, experiment=EXPERIMENT, samples=lambda result: [seen]
    )

    receipt = await tracker.deliver(make_result(model="openai/seen", n_samples=1))

    assert receipt.note is None
    (trace,) = traces_of(place, "openai/seen")
    assert trace.data.spans[0].inputs["messages"][0]["content"] == [
        {"type": "text", "text": "Which?"},
        {"type": "image_url", "image_url": {"url": small.address}},
        {"type": "text", "text": f"(image/png, 100,000 bytes, sha256 {large.digest})"},
    ]


async def test_a_replay_adds_no_trace_and_a_new_result_replaces_them(
    open_tracker: TrackerFactory, make_result: ResultFactory, place: str
) -> None:
    first = make_result("first", model="openai/again", n_samples=130)
    second = make_result("second", model="openai/again", n_samples=2)
    tracker = await open_tracker(tracking_uri=place, traces=1000, experiment=EXPERIMENT)
    other = await open_tracker(tracking_uri=place, traces=1000, experiment=EXPERIMENT)

    await tracker.deliver(first)
    await other.deliver(first)
    assert len(traces_of(place, "openai/again")) == 130

    await tracker.deliver(second)
    asked = [trace.data.spans[0].inputs for trace in traces_of(place, "openai/again")]
    assert asked == ["question 0", "question 1"]
