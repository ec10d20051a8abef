"""What a key was: the history and the leaderboard agree on what stands."""

from __future__ import annotations

from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

from llmeval_core.api import make_leaderboard
from llmeval_core.api.notes_on_leaderboard import superseded_notes
from llmeval_core.api.task_history import history
from llmeval_core.journal import DeliveryRepository, Journal
from llmeval_core.records import TaskResult
from llmeval_core.testing.makers import make_task_result


def make(
    place: int, n_samples: int, metrics: list[str], *categories: str, replaces: bool = False
) -> TaskResult:
    made = make_task_result(
        id=f"r{place}",
        metrics=dict.fromkeys(metrics, 0.5),
        n_samples=n_samples,
        n_total=6,
        finished_at=float(place),
        replaces=replaces,
    )
    parts = [
        whole.model_copy(update={"key": f"{whole.key}/{name}", "category": name})
        for whole in made.metrics
        for name in categories
    ]
    return made.model_copy(update={"metrics": (*made.metrics, *parts)})


RUNS = st.lists(
    st.tuples(
        st.sampled_from([1, 3, 6]),
        st.sampled_from([["a"], ["b"], ["a", "b"]]),
        st.sampled_from([(), ("x",), ("x", "y")]),
        st.booleans(),
    ),
    min_size=1,
    max_size=6,
)


@given(RUNS)
def test_what_stands_in_the_history_is_what_the_leaderboard_shows(
    runs: list[tuple[int, list[str], tuple[str, ...], bool]],
) -> None:
    results = [
        make(place, n, metrics, *categories, replaces=replaces)
        for place, (n, metrics, categories, replaces) in enumerate(runs)
    ]
    board = make_leaderboard(results, categories=True)

    keys = {metric.key for result in results for metric in result.metrics}
    standing = {
        (entry.metric.key, entry.result.id)
        for key in keys
        for entry in history(results, key)
        if entry.stands
    }

    assert standing == {
        (key, board.results[place].id) for place in board.cells for key in place[1:]
    }


def test_a_metric_that_only_the_smaller_run_had_does_not_give_way(tmp_path: Path) -> None:
    """n3-limit-overwrites: the note names the numbers that gave way, and no others."""
    whole, both, other = make(0, 6, ["a"]), make(1, 1, ["a", "b"]), make(2, 1, ["b"])
    with Journal(tmp_path) as journal:
        for result in (whole, both, other):
            journal.deliveries(DeliveryRepository.save, result, ())
        with journal.reader() as reader:
            (of_both,) = superseded_notes(reader, [both])
            of_other = superseded_notes(reader, [other])

    assert " (a): 1 of 6 samples give way to the result of" in of_both
    assert of_other == []
