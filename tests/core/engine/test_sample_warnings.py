"""What looks wrong with a task before anything is sent."""

from __future__ import annotations

from typing import Any

from llmeval_core.engine import preview
from llmeval_core.records import Sample
from llmeval_core.testing import FakeDataset
from llmeval_core.testing.running import plan_of


def doubts(samples: list[Sample], **task: Any) -> tuple[str, ...]:
    plan = plan_of(datasets={"fake": FakeDataset(samples)}, tasks=[{"dataset": "fake", **task}])
    return preview(plan, None)[0].warnings


def test_ordinary_samples_raise_none() -> None:
    samples = [Sample(str(n), f"q{n}", (f"a{n}",)) for n in range(20)]

    assert doubts(samples) == ()


def test_many_rows_that_make_one_request_are_told() -> None:
    """Case n2-chat-messages: a template that takes the last turn only."""
    samples = [Sample(str(n), "Its capital?", (f"a{n}",)) for n in range(15)]

    assert doubts(samples) == (
        "15 samples make only 1 different request: does the prompt show what tells them apart?",
    )


def test_missing_and_empty_references_are_told() -> None:
    samples = [
        Sample("0", "q0"),
        Sample("1", "q1", ("",)),
        Sample("2", "q2", ("nan",)),
        Sample("3", "q3", ("x",)),
    ]

    assert doubts(samples) == (
        "1 of 4 samples have no reference: most metrics cannot score them",
        "1 of 4 samples have only empty references: most metrics cannot score them",
        "1 of 4 samples have a reference such as `None` or `nan`",
    )


def test_one_choice_that_is_always_right_is_told() -> None:
    samples = [
        Sample(str(n), f"q{n}", ("b",), choices=("a", "b", "b"), answer=1) for n in range(12)
    ]

    assert doubts(samples) == (
        "the right choice is number 2 in every one of 12 samples: are labels read as they are"
        " meant?",
        "all 12 samples have the same choice twice",
    )


def test_braces_that_reach_the_model_are_told() -> None:
    samples = [Sample("0", "Sky?", choices=("{{ A }}", "{{ B }}"), answer=0)]

    assert doubts(samples) == (
        "all 1 samples are asked with `{{` or `{%` in the request: a template that was not taken"
        " for one?",
    )
    assert doubts([Sample("0", "What does {{ x }} mean in Jinja?", ("a",))]) == ()


def test_a_thought_in_a_reference_is_told() -> None:
    """n2-chat-messages: files of reasoning models, whose last turn has the thought in it."""
    samples = [Sample("0", "q0", ("<think>2, no, 4</think>4",)), Sample("1", "q1", ("5",))]

    assert doubts(samples) == (
        "1 of 2 samples have a thought in a reference, such as `<think>...</think>`:"
        " answers are compared with it as it stands",
    )
