"""Planning: what is left open is filled in, and what a fingerprint stands for."""

from __future__ import annotations

from typing import Any

import pytest

from llmeval_core.catalog import make_plan
from llmeval_core.config import Origin, RunConfig, TaskDefaults
from llmeval_core.contracts import ModelInfo
from llmeval_core.errors import ConfigError, DatasetError, PluginError
from llmeval_core.host import load_plugins
from llmeval_core.plan import PlannedTask
from llmeval_core.records import GenerationSettings, Message, Sample
from llmeval_core.testing import FakeDataset, FakeMetric, FakeModel, make_sample
from llmeval_core.testing.running import catalog_of, plan_of

CHOICE = make_sample(choices=("Paris", "Rome"), answer=0)


def planned(**config: Any) -> PlannedTask:
    return plan_of(**config).evaluations[0].tasks[0]


def planned_by(dataset: FakeDataset, **config: Any) -> PlannedTask:
    """Plan with whole settings; the metrics `fake`, `other`, `a`, `b` and `c` are on offer."""
    names = ("fake", "other", "a", "b", "c")
    catalog = catalog_of(
        {
            "datasets": {"fake": dataset},
            "models": {"fake": FakeModel()},
            "metrics": {name: FakeMetric() for name in names},
        }
    )
    settings = {"models": ["fake/model"], "tasks": [{"dataset": "fake"}], **config}
    return (
        make_plan(
            RunConfig.model_validate(settings),
            catalog,
            origin=Origin(),
            observer=load_plugins(entry_points=[]),
        )
        .evaluations[0]
        .tasks[0]
    )


@pytest.mark.parametrize(
    ("of_data_set", "of_run", "of_model", "of_task", "expected"),
    [
        ({}, {}, {}, {}, None),
        ({"max_tokens": 1}, {}, {}, {}, 1),
        ({"max_tokens": 1}, {"max_tokens": 2}, {}, {}, 2),
        ({"max_tokens": 1}, {"max_tokens": 2}, {"max_tokens": 3}, {}, 3),
        ({"max_tokens": 1}, {"max_tokens": 2}, {"max_tokens": 3}, {"max_tokens": 4}, 4),
        ({"max_tokens": 1}, {}, {"top_p": 0.5}, {"seed": 1}, 1),
    ],
)
def test_what_is_said_nearest_to_the_task_wins(
    of_data_set: dict[str, Any],
    of_run: dict[str, Any],
    of_model: dict[str, Any],
    of_task: dict[str, Any],
    expected: int | None,
) -> None:
    defaults = TaskDefaults.model_validate({"metrics": ["fake"], "generation": of_data_set})

    task = planned_by(
        FakeDataset(defaults=defaults),
        models=[{"name": "fake/model", "generation": of_model}],
        generation=of_run,
        tasks=[{"dataset": "fake", "generation": of_task}],
    )

    assert task.generation.max_tokens == expected


@pytest.mark.parametrize(
    ("of_data_set", "of_task", "keys"),
    [
        (None, {}, ["fake_0shot"]),
        (2, {}, ["fake_2shot"]),
        (2, {"shots": None}, ["fake_2shot"]),
        (2, {"shots": 0}, ["fake_0shot"]),
        (2, {"shots": [0, 1]}, ["fake_0shot", "fake_1shot"]),
    ],
)
def test_p5_llm_jp_eval_v2_a_data_set_says_how_many_examples_are_usual(
    of_data_set: int | None, of_task: dict[str, Any], keys: list[str]
) -> None:
    dataset = FakeDataset(defaults=TaskDefaults(shots=of_data_set))

    plan = plan_of(datasets={"fake": dataset}, tasks=[{"dataset": "fake", **of_task}])

    assert [task.key for task in plan.evaluations[0].tasks] == keys


def test_a_conversation_with_choices_is_answered_by_a_letter_where_the_model_can_chat() -> None:
    """Case n2-chat-messages."""
    turns = (Message("user", "Hello."), Message("assistant", "Hi."), Message("user", "Capital?"))
    sample = Sample("c", turns, choices=("Paris", "Rome"), answer=0)

    task = planned(datasets={"fake": FakeDataset([sample])})

    assert (task.answer_by, task.mode) == ("letter", "chat")


def test_what_nobody_says_is_greedy_and_one_answer() -> None:
    assert planned().generation == GenerationSettings()


@pytest.mark.parametrize(
    ("of_data_set", "of_run", "of_task", "expected"),
    [
        (["a"], None, None, ["a"]),
        (["a"], ["b"], None, ["b"]),
        (["a"], ["b"], ["a", "c"], ["a", "c"]),
    ],
)
def test_metrics_are_the_tasks_or_the_runs_or_the_data_sets(
    of_data_set: list[str],
    of_run: list[str] | None,
    of_task: list[str] | None,
    expected: list[str],
) -> None:
    defaults = TaskDefaults.model_validate({"metrics": of_data_set})

    task = planned_by(
        FakeDataset(defaults=defaults),
        metrics=of_run,
        tasks=[{"dataset": "fake", "metrics": of_task}],
    )

    assert [metric.name for metric in task.metrics] == expected


@pytest.mark.parametrize(
    ("of_run", "of_task", "limit", "n_samples"),
    [(None, None, None, 3), (2, None, 2, 2), (None, 1, 1, 1), (1, 2, 1, 1), (9, None, 9, 3)],
)
def test_the_smaller_limit_counts(
    of_run: int | None, of_task: int | None, limit: int | None, n_samples: int
) -> None:
    task = planned(limit=of_run, tasks=[{"dataset": "fake", "limit": of_task}])

    assert (task.limit, task.n_samples) == (limit, n_samples)


def test_a_prompt_is_the_data_sets_where_the_task_says_nothing() -> None:
    defaults = TaskDefaults.model_validate(
        {"metrics": ["fake"], "prompt": {"system": "S", "template": "T"}, "extract": "E"}
    )

    task = planned_by(
        FakeDataset(defaults=defaults), tasks=[{"dataset": "fake", "prompt": {"template": "mine"}}]
    )

    assert (task.prompt.system, task.prompt.template, task.extract) == ("S", "mine", "E")


@pytest.mark.parametrize(
    ("task", "extract"), [({}, "E"), ({"extract": "mine"}, "mine"), ({"extract": None}, None)]
)
def test_null_takes_the_data_sets_extract_back(task: dict[str, Any], extract: str | None) -> None:
    dataset = FakeDataset(
        defaults=TaskDefaults.model_validate({"metrics": ["fake"], "extract": "E"})
    )

    assert planned_by(dataset, tasks=[{"dataset": "fake", **task}]).extract == extract


def test_a_data_set_with_a_wrong_extract_is_told_before_anything_is_asked() -> None:
    defaults = TaskDefaults.model_validate({"metrics": ["fake"], "extract": "("})

    with pytest.raises(ConfigError) as caught:
        planned_by(FakeDataset(defaults=defaults))

    assert str(caught.value) == (
        "extract is not a regular expression: missing ), unterminated subpattern at position 0\n"
        "  where: tasks[0], data set 'fake'"
    )


@pytest.mark.parametrize(
    ("modes", "answer_by", "mode", "by"),
    [
        ({"chat", "completion", "loglikelihood"}, None, "loglikelihood", "loglikelihood"),
        ({"chat", "completion"}, None, "chat", "letter"),
        ({"completion"}, None, "completion", "letter"),
        ({"chat", "loglikelihood"}, "generation", "chat", "generation"),
        ({"chat", "loglikelihood"}, "letter", "chat", "letter"),
    ],
)
def test_choices_are_answered_as_the_model_can(
    modes: set[Any], answer_by: str | None, mode: str, by: str
) -> None:
    task = planned(
        datasets={"fake": FakeDataset([CHOICE])},
        models={"fake": FakeModel(modes=frozenset(modes))},
        tasks=[{"dataset": "fake", "answer_by": answer_by}],
    )

    assert (task.mode, task.answer_by) == (mode, by)


@pytest.mark.parametrize(
    ("task", "mode"),
    [({"answer_by": "loglikelihood"}, "loglikelihood"), ({"prompt": {"mode": "chat"}}, "chat")],
)
def test_a_model_that_cannot_be_asked_so_is_told(task: dict[str, Any], mode: str) -> None:
    with pytest.raises(ConfigError) as caught:
        planned(
            models={"fake": FakeModel(modes=frozenset({"completion"}))},
            tasks=[{"dataset": "fake", **task}],
        )

    assert str(caught.value) == (
        f"model 'fake/model' cannot be asked for {mode}\n"
        "  where: tasks[0]\n"
        "  try:   it can: completion"
    )


# --- fingerprints


@pytest.mark.parametrize(
    ("config", "same_requests"),
    [
        ({"limit": 2}, True),
        ({"metrics": ["other"]}, True),
        ({"tasks": [{"dataset": "fake", "extract": "x"}]}, True),
        ({"tasks": [{"dataset": {"use": "fake", "name": "mine"}}]}, True),
        ({"tasks": [{"dataset": "fake", "shots": 1}]}, False),
        ({"tasks": [{"dataset": "fake", "prompt": {"system": "x"}}]}, False),
        ({"generation": {"temperature": 1}}, False),
    ],
)
def test_what_changes_only_the_numbers_keeps_the_requests(
    config: dict[str, Any], same_requests: bool
) -> None:
    plain, other = planned_by(FakeDataset()), planned_by(FakeDataset(), **config)

    assert other.fingerprint != plain.fingerprint
    assert (other.cache_key == plain.cache_key) == same_requests


def of_extract(extract: Any) -> PlannedTask:
    return planned_by(FakeDataset(), tasks=[{"dataset": "fake", "extract": extract}])


def test_a_plain_extract_stands_in_the_settings_as_it_always_did() -> None:
    task = of_extract("a(b)")

    assert task.settings["extract"] == "a(b)"
    assert "extract_group" not in task.settings
    assert task.fingerprint == of_extract({"pattern": "a(b)"}).fingerprint


def test_a_pattern_of_several_groups_is_another_number_than_it_was() -> None:
    task = of_extract("(a)|(b)")

    assert task.settings["extract_group"] == "first filled"
    assert task.cache_key == of_extract(None).cache_key


@pytest.mark.parametrize(
    "extract",
    [{"pattern": "a", "match": "last"}, {"pattern": "a", "flags": "dotall"}, ["a", "b"], "a|b"],
)
def test_another_extract_is_another_number(extract: Any) -> None:
    assert of_extract(extract).fingerprint != of_extract("a").fingerprint


@pytest.mark.parametrize(
    "config",
    [{"concurrency": 3}, {"seed": 5}, {"retry": {"max_attempts": 2}}, {"give_up_after": 3}],
)
def test_what_changes_no_number_keeps_the_fingerprint(config: dict[str, Any]) -> None:
    assert planned_by(FakeDataset(), **config).fingerprint == planned_by(FakeDataset()).fingerprint


def test_the_seed_counts_only_where_examples_are_chosen() -> None:
    few_shot = {"tasks": [{"dataset": "fake", "shots": 1}]}

    one, other = (planned_by(FakeDataset(), seed=seed, **few_shot) for seed in (0, 1))

    assert one.fingerprint != other.fingerprint


def test_another_definition_of_a_metric_is_another_number() -> None:
    one, other = (planned(metrics={"fake": FakeMetric(name)}) for name in ("f1@a", "f1@b"))

    assert one.fingerprint != other.fingerprint
    assert one.cache_key == other.cache_key


class Aware(FakeMetric):
    """Another number for each way to answer."""

    def for_answers(self, answer_by: str) -> FakeMetric:
        if answer_by == "generation":
            raise AttributeError("no such way")
        return FakeMetric(f"fake@{answer_by}")


@pytest.mark.parametrize("answer_by", ["letter", "loglikelihood"])
def test_a_metric_may_be_another_number_for_another_way_to_answer(answer_by: str) -> None:
    task = planned(
        datasets={"fake": FakeDataset([CHOICE])},
        metrics={"fake": Aware()},
        tasks=[{"dataset": "fake", "answer_by": answer_by}],
    )

    assert [metric.metric.definition for metric in task.metrics] == [f"fake@{answer_by}"]
    assert task.settings["metrics"] == {"fake": {"definition": f"fake@{answer_by}"}}


def test_a_metric_that_cannot_be_planned_is_named() -> None:
    with pytest.raises(PluginError) as caught:
        planned(metrics={"fake": Aware()})

    assert str(caught.value) == (
        "metric 'fake' cannot be planned for answers by generation: AttributeError: no such way\n"
        "  where: tasks[0]\n"
        "  try:   this is a bug in the plugin; tell its author"
    )


def test_a_provider_that_breaks_is_named() -> None:
    class Broken(FakeModel):
        def describe(self, model: str) -> ModelInfo:
            raise AttributeError("no digest")

    with pytest.raises(PluginError) as caught:
        planned(models={"fake": Broken()})

    assert str(caught.value) == (
        "model provider 'fake' cannot tell about 'model': AttributeError: no digest\n"
        "  where: models[0]\n"
        "  try:   this is a bug in the plugin; tell its author"
    )


@pytest.mark.parametrize(
    ("method", "given", "what"),
    [
        ("fingerprint", 5, "fingerprint() gave a int, not a text"),
        ("fingerprint", None, "fingerprint() gave a NoneType, not a text"),
        ("size", "3", "size() gave '3', which is no number of samples"),
        ("size", True, "size() gave True, which is no number of samples"),
        ("size", -1, "size() gave -1, which is no number of samples"),
    ],
)
def test_a_data_set_that_tells_nonsense_of_itself_is_told_before_anything_is_asked(
    method: str, given: object, what: str
) -> None:
    dataset = FakeDataset()
    setattr(dataset, method, lambda: given)

    with pytest.raises(DatasetError) as caught:
        planned_by(dataset)

    assert what in str(caught.value)
