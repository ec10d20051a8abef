"""Which of several results stands."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from llmeval_core.completeness import (
    coverage_of,
    current_by_metric,
    current_result,
    gives_way,
    without_less_complete,
)
from llmeval_core.records import TaskResult
from llmeval_core.testing.makers import make_task_result


def make(
    id: str,  # noqa: A002  the field's name
    n_samples: int = 24,
    *,
    n_total: int | None = 24,
    n_failed: int = 0,
    replaces: bool = False,
    metrics: tuple[str, ...] = ("exact_match",),
) -> TaskResult:
    return make_task_result(
        id=id,
        metrics=dict.fromkeys(metrics, 0.5),
        n_samples=n_samples,
        n_total=n_total,
        n_failed=n_failed,
        replaces=replaces,
    )


def stands(*results: TaskResult) -> str:
    found = current_result(results)
    assert found is not None
    return found.id


def test_of_two_whole_ones_the_newer_stands() -> None:
    assert stands(make("old"), make("new")) == "new"


def test_a_part_gives_way_to_the_whole_and_the_whole_never_to_a_part() -> None:
    assert stands(make("whole"), make("part", 1)) == "whole"
    assert stands(make("part", 23), make("whole")) == "whole"
    assert stands(make("small", 3, n_total=3), make("part", 900, n_total=1000)) == "small"


def test_of_two_parts_the_larger_stands_and_of_equal_ones_the_newer() -> None:
    assert stands(make("large", 5), make("small", 4)) == "large"
    assert stands(make("old", 5), make("new", 5)) == "new"


def test_what_is_meant_to_replace_stands_until_something_as_complete_comes() -> None:
    meant = make("meant", 3, replaces=True)

    assert stands(make("whole"), meant) == "meant"
    assert stands(make("whole"), meant, make("smaller", 2)) == "meant"
    assert stands(make("whole"), meant, make("whole again")) == "whole again"


def test_a_result_most_of_which_failed_gives_way() -> None:
    assert stands(make("good"), make("broken", n_failed=12)) == "good"
    assert stands(make("broken", n_failed=12), make("good")) == "good"


def test_a_few_failures_more_do_not_keep_the_newer_out() -> None:
    old = make("old", 1000, n_total=1000)

    assert stands(old, make("new", 1000, n_total=1000, n_failed=20)) == "new"
    assert stands(old, make("new", 1000, n_total=1000, n_failed=21)) == "old"


def test_each_metric_stands_for_itself() -> None:
    first = make("first", metrics=("exact_match", "f1"))
    part = make("part", 1, metrics=("exact_match", "bleu"))

    found = current_by_metric([first, part])

    assert {name: one.id for name, one in found.items()} == {
        "exact_match": "first",
        "f1": "first",
        "bleu": "part",
    }


def test_results_of_older_versions_are_judged_by_their_limit() -> None:
    def older(n_samples: int, limit: int | None) -> TaskResult:
        return make("older", n_samples, n_total=None).model_copy(
            update={"settings": {"limit": limit}}
        )

    assert coverage_of(older(24, None)).is_whole
    assert coverage_of(older(24, 100)).is_whole
    assert not coverage_of(older(24, 24)).is_whole


@given(
    st.lists(
        st.tuples(st.integers(1, 30), st.sampled_from([None, 5, 30]), st.integers(0, 5)),
        min_size=1,
        max_size=6,
    )
)
def test_what_stands_never_gives_way_to_what_came_before_it(
    made: list[tuple[int, int | None, int]],
) -> None:
    results = [
        make(str(place), n, n_total=n_total, n_failed=min(n, n_failed))
        for place, (n, n_total, n_failed) in enumerate(made)
    ]

    found = current_result(results)

    assert found is not None
    later = results[int(found.id) + 1 :]
    assert all(gives_way(one, found) for one in later)


def test_metrics_of_which_a_place_has_more_complete_numbers_are_left_out_and_that_is_said() -> None:
    part = make("part", 1, metrics=("accuracy", "f1"))
    known = {"accuracy": coverage_of(make("whole"))}

    left, note = without_less_complete(part, known)

    assert [metric.metric for metric in left.metrics] == ["f1"]
    assert note == (
        f"{part.task}: 1 samples (0 failed) give way to the more complete numbers of 24 samples"
        " that the run has; --replace puts them there"
    )


def test_nothing_is_left_out_of_what_is_meant_to_replace_or_is_as_complete() -> None:
    known = {"exact_match": coverage_of(make("whole"))}
    meant, again = make("meant", 1, replaces=True), make("again")

    assert without_less_complete(meant, known) == (meant, None)
    assert without_less_complete(again, known) == (again, None)
