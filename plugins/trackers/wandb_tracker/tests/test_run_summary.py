"""What belongs together changes together, and what is less complete takes nobody's place."""

from __future__ import annotations

from llmeval_wandb_tracker.run_state import RunState
from llmeval_wandb_tracker.run_summary import add_result, is_all_less_complete

from llmeval_core.hooks import TaskResult
from llmeval_core.testing import make_task_result


def make(
    result_id: str, value: float, n_samples: int, *categories: str, replaces: bool = False
) -> TaskResult:
    """Make a result of 24 samples in all, with the same value in some categories."""
    made = make_task_result(
        id=result_id, metrics={"f1": value}, n_samples=n_samples, n_total=24, replaces=replaces
    )
    (whole,) = made.metrics
    parts = [
        whole.model_copy(update={"key": f"{whole.key}/{name}", "category": name})
        for name in categories
    ]
    return made.model_copy(update={"metrics": (whole, *parts)})


def test_a_smoke_run_of_another_machine_takes_no_ones_place() -> None:
    """Case n3-limit-overwrites."""
    state = RunState()
    add_result(state, make("full", 0.5, 24, "history"))

    note = add_result(state, make("smoke", 1.0, 1))

    assert state.summary["capitals_0shot_f1"] == 0.5
    assert state.summary["capitals_0shot_f1/history"] == 0.5
    assert state.has("capitals_0shot", "smoke")
    assert note == (
        "capitals_0shot: 1 samples (0 failed) give way to the more complete numbers of 24"
        " samples that the run has; --replace puts them there"
    )


def test_what_the_new_result_lacks_is_taken_back() -> None:
    """Case n3-limit-overwrites: a value of the new run beside the categories of the old one."""
    state = RunState()
    add_result(state, make("full", 0.5, 24, "history", "arts"))

    note = add_result(state, make("meant", 1.0, 1, "arts", replaces=True))

    assert note is None
    assert state.summary["capitals_0shot_f1"] == 1.0
    assert state.summary["capitals_0shot_f1/arts"] == 1.0
    assert state.summary["capitals_0shot_f1/history"] is None
    assert state.summary["capitals_0shot_f1/history_stderr"] is None


def test_samples_of_what_gives_way_take_no_ones_place_either() -> None:
    """Case n3-limit-overwrites: the numbers of the whole beside the samples of a part."""
    state = RunState()
    add_result(state, make("full", 0.5, 24))

    assert is_all_less_complete(state, make("smoke", 1.0, 1))
    assert not is_all_less_complete(state, make("meant", 1.0, 1, replaces=True))
    assert not is_all_less_complete(state, make("again", 1.0, 24))


def test_a_run_of_an_older_version_keeps_its_numbers_too() -> None:
    """Case n3-limit-overwrites."""
    state = RunState()
    state.summary.update(
        {
            "capitals_0shot_f1": 0.5,
            "llmeval/n_samples/capitals_0shot": 24,
            "llmeval/n_failed/capitals_0shot": 0,
        }
    )

    add_result(state, make("smoke", 1.0, 1))

    assert state.summary["capitals_0shot_f1"] == 0.5
