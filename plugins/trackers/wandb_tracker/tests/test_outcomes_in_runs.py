"""What a run and its table say of samples that were not simply answered."""

from __future__ import annotations

from dataclasses import replace

from llmeval_wandb_tracker.run_state import RunState
from llmeval_wandb_tracker.run_summary import add_result
from llmeval_wandb_tracker.sample_rows import sample_rows

from llmeval_core.hooks import (
    Generation,
    ImagePart,
    Message,
    Sample,
    SampleResult,
    Score,
    Turn,
)
from llmeval_core.testing import make_request, make_task_result


def test_a_run_counts_how_samples_ended_also_none() -> None:
    state = RunState()

    add_result(
        state,
        make_task_result().model_copy(
            update={"task": "aio_0shot", "outcomes": {"answered": 2, "truncated": 3}}
        ),
    )

    counted = {key: value for key, value in state.summary.items() if "/n_" in key}
    assert counted["llmeval/n_truncated/aio_0shot"] == 3
    assert counted["llmeval/n_empty/aio_0shot"] == 0


def test_a_row_has_the_answer_without_its_reasoning_and_how_it_ended() -> None:
    sample = SampleResult(
        0,
        Sample("a", "1+1?", ("2",)),
        None,
        Generation(("<think>Hm.</think>2",)),
        {"outcome": Score(1.0)},
        outcome="truncated",
    )

    columns, rows, _ = sample_rows([sample], max_rows=5)

    assert dict(zip(columns, rows[0], strict=True)) == {
        "id": "a",
        "category": "",
        "question": "1+1?",
        "expected": "2",
        "reasoning": "Hm.",
        "answer": "2",
        "outcome": 1.0,
        "how it ended": "truncated",
        "failure": "",
    }


def test_samples_of_several_turns_have_their_conversation_in_a_column() -> None:
    asked = make_request("Hello \ud83d")
    again = replace(
        asked,
        fingerprint="1" * 32, messages=(*asked.messages, Message("assistant", "Hi"),
                                     Message("user", "And? " + "x" * 20_000)))  # fmt: skip
    turns = (Turn("model", asked, Generation(("Hi",))), Turn("model", again, Generation(("Bye",))))
    talk = SampleResult(0, Sample("a", "Hello"), again, Generation(("Bye",)), {}, turns=turns)
    image = ImagePart("image/png", url="https://x/a.png?key=secret")
    seen = SampleResult(1, Sample("b", (Message("user", (image,)),)), None, None, {})
    plain = SampleResult(2, Sample("c", "?"), None, Generation(("2",)), {})

    columns, rows, _ = sample_rows([talk, seen, plain], max_rows=5)
    without, _, _ = sample_rows([plain], max_rows=5)

    told, of_image, of_text = [row[-1] for row in rows]
    assert columns[-1] == "conversation"
    assert "conversation" not in without
    assert isinstance(told, str)
    assert told.startswith("[user] Hello \\ud83d\n[assistant] Hi\n[user] And? xxx")
    assert told.endswith("xxx\n[assistant] Bye")
    assert len(told) < 16_100
    assert (of_image, of_text) == ("[user] (image/png, https://x/a.png?...)", "")
