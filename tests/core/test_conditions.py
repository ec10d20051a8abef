"""What differs between two results under one key."""

from __future__ import annotations

from typing import Any

from llmeval_core.conditions import what_differs
from llmeval_core.records import TaskResult
from llmeval_core.testing.makers import make_task_result


def make(**settings: Any) -> TaskResult:
    base = {
        "dataset": "abc",
        "prompt": {"template": "{{ input }}", "system": None},
        "generation": {"temperature": 0.0, "stop": []},
        "metrics": {"exact_match": {"definition": "exact_match@1"}},
        "model": {"base_url": "http://a"},
        "limit": None,
    }
    return make_task_result(settings={**base, **settings})


def test_equal_conditions_do_not_differ() -> None:
    assert what_differs(make(), make(limit=5)) == ()


def test_each_condition_is_named() -> None:
    other = make(
        dataset="def",
        prompt={"template": "{{ input }}!", "system": "Be kind."},
        generation={"temperature": None, "stop": ["x"]},
        metrics={"exact_match": {"definition": "exact_match@2"}},
    )

    assert what_differs(make(), other) == (
        "dataset",
        "generation.stop",
        "generation.temperature",
        "metrics.exact_match.definition",
        "prompt.system",
        "prompt.template",
    )


def test_a_metric_that_only_one_has_is_no_difference() -> None:
    more = {"exact_match": {"definition": "exact_match@1"}, "f1": {"definition": "f1@1"}}

    assert what_differs(make(), make(metrics=more)) == ()


def test_settings_of_the_model_count_only_for_one_model() -> None:
    other = make(model={"base_url": "http://b"})

    assert what_differs(make(), other) == ("model.base_url",)
    assert what_differs(make(), other, models=False) == ()
