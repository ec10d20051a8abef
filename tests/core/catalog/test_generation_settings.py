"""How answers are generated: what is set where, what can be left out, what is filled in."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from llmeval_core.api.run_flags import read_config
from llmeval_core.catalog import make_plan
from llmeval_core.catalog.generation_defaults import lay_over
from llmeval_core.config import GenerationConfig, Origin, RunConfig, TaskDefaults, validate
from llmeval_core.errors import ConfigError
from llmeval_core.host import load_plugins
from llmeval_core.plan import PlannedTask
from llmeval_core.prompting import Prompter
from llmeval_core.records import GenerationSettings, Reasoning
from llmeval_core.testing import FakeDataset, FakeMetric, FakeModel
from llmeval_core.testing.running import catalog_of, plan_of


def generation(
    *,
    of_data_set: dict[str, Any] | None = None,
    of_run: dict[str, Any] | None = None,
    of_model: dict[str, Any] | None = None,
    of_task: dict[str, Any] | None = None,
    prompt: dict[str, Any] | None = None,
) -> GenerationSettings:
    """Plan one task and return how its answers are generated; Any: keys of the run file."""
    defaults = TaskDefaults.model_validate({"metrics": ["fake"], "generation": of_data_set or {}})
    catalog = catalog_of(
        {
            "datasets": {"fake": FakeDataset(defaults=defaults)},
            "models": {"fake": FakeModel()},
            "metrics": {"fake": FakeMetric()},
        }
    )
    config = {
        "models": [{"name": "fake/model", "generation": of_model}],
        "tasks": [{"dataset": "fake", "generation": of_task or {}, "prompt": prompt or {}}],
        "generation": of_run or {},
    }
    run = validate(RunConfig, config, origin=Origin())
    plan = make_plan(run, catalog, origin=Origin(), observer=load_plugins(entry_points=[]))
    return plan.evaluations[0].tasks[0].generation


NULL = {"temperature": None}


@pytest.mark.parametrize(
    ("settings", "expected"),
    [
        ({}, 0.0),
        ({"of_run": NULL}, None),
        ({"of_model": NULL}, None),
        ({"of_task": NULL}, None),
        ({"of_run": {"temperature": 1}, "of_model": NULL}, None),
        ({"of_model": {"temperature": 1}, "of_task": NULL}, None),
        ({"of_run": NULL, "of_task": {"temperature": 0.5}}, 0.5),
        ({"of_run": NULL, "of_model": {"top_p": 0.5}}, None),
        ({"of_data_set": {"temperature": 0.3}}, 0.3),
        ({"of_data_set": {"temperature": 0.3}, "of_task": NULL}, None),
        ({"of_data_set": NULL}, 0.0),
    ],
)
def test_a_setting_that_is_null_is_not_sent(
    settings: dict[str, Any], expected: float | None
) -> None:
    """s01-temperature-cannot-be-left-out."""
    assert generation(**settings).temperature == expected


@pytest.mark.parametrize("key", ["max_tokens", "temperature", "top_p", "seed"])
def test_every_setting_can_be_left_out(key: str) -> None:
    value = {"max_tokens": 7, "temperature": 0.7, "top_p": 0.7, "seed": 7}[key]

    left_out = generation(of_run={key: value}, of_task={key: None})

    assert getattr(generation(of_run={key: value}), key) == value
    assert getattr(left_out, key) is None


COMPLETION = {"mode": "completion"}


@pytest.mark.parametrize(
    ("settings", "prompt", "max_tokens", "stop"),
    [
        ({}, {}, None, ()),
        ({}, COMPLETION, 256, ("\n\n",)),
        ({"of_run": {"max_tokens": 9}}, COMPLETION, 9, ("\n\n",)),
        ({"of_run": {"max_tokens": None}}, COMPLETION, None, ("\n\n",)),
        ({"of_data_set": {"max_tokens": None}}, COMPLETION, 256, ("\n\n",)),
        ({"of_task": {"stop": []}}, COMPLETION, 256, ()),
        ({"of_task": {"stop": None}}, COMPLETION, 256, ()),
        ({"of_task": {"stop": ["#"]}}, COMPLETION, 256, ("#",)),
        ({}, {**COMPLETION, "separator": "\n---\n"}, 256, ("\n---\n",)),
        ({}, {**COMPLETION, "separator": "\n"}, 256, ("\n",)),
        ({}, {**COMPLETION, "separator": ""}, 256, ("\n\n",)),
        ({}, {**COMPLETION, "template": "Q: {{ input }}\nA:"}, 256, ("\n\n", "\nQ:")),
        ({}, {**COMPLETION, "template": "\n{% if 1 %}x"}, 256, ("\n\n",)),
    ],
)
def test_a_completion_is_bounded_and_ends_where_the_next_example_would_begin(
    settings: dict[str, Any],
    prompt: dict[str, Any],
    max_tokens: int | None,
    stop: tuple[str, ...],
) -> None:
    """s08-completion-mode-16-tokens, p3-extract (dflt.yaml)."""
    found = generation(**settings, prompt=prompt)

    assert (found.max_tokens, found.stop) == (max_tokens, stop)


@pytest.mark.parametrize(
    ("written", "expected"),
    [
        ("low", Reasoning("low")),
        ({"effort": "high"}, Reasoning("high")),
        ({"budget": 1024}, Reasoning(None, 1024)),
        ({"effort": "none", "budget": 0}, Reasoning("none", 0)),
    ],
)
def test_how_much_is_thought_is_a_setting(written: object, expected: Reasoning) -> None:
    assert generation(of_run={"reasoning": written}).reasoning == expected
    assert generation(of_run={"reasoning": written}, of_task={"reasoning": None}).reasoning is None


@pytest.mark.parametrize(
    ("written", "told"),
    [
        ({"reasoning": {}}, "`reasoning` wants `effort` or `budget`"),
        ({"reasoning": "much"}, "input should be 'none', 'minimal', 'low'"),
        ({"extra_body": {"key": "${KEY}"}}, "`${NAME}` is not replaced here"),
    ],
)
def test_what_makes_no_sense_is_refused(written: dict[str, Any], told: str) -> None:
    with pytest.raises(ConfigError) as caught:
        generation(of_task=written)

    assert told in caught.value.what


def test_more_keys_of_the_body_are_laid_over_each_other() -> None:
    of_run = {"extra_body": {"top_k": 1, "min_p": 0.1}}

    of_task = generation(of_run=of_run, of_task={"extra_body": {"top_k": 5}})
    none = generation(of_run=of_run, of_task={"extra_body": None})

    assert of_task.extra_body == {"top_k": 5, "min_p": 0.1}
    assert none.extra_body == {}


FIRST_SETTINGS = {
    "max_tokens": 5,
    "temperature": 0.7,
    "top_p": 0.9,
    "seed": 3,
    "stop": ["\n"],
    "n": 2,
}


def fingerprints(**config: Any) -> tuple[str, str, str]:
    """Return those of the task's requests, of the task and of its first request."""
    (evaluation,) = plan_of(**config).evaluations
    task: PlannedTask = evaluation.tasks[0]
    sample = next(iter(task.dataset.samples()))
    request = Prompter(evaluation.model, task).request(sample)
    return task.cache_key, task.fingerprint, request.fingerprint


@pytest.mark.parametrize(
    ("config", "expected"),
    [
        ({}, "4ea58d25452cdb0e82084cda6d0a4ea3"),
        ({"generation": FIRST_SETTINGS}, "2a22e2e4bfe7172c23b4b2ab7af330d3"),
        (
            {
                "generation": {"max_tokens": 5, "stop": ["\n"]},
                "tasks": [{"dataset": "fake", "prompt": COMPLETION}],
            },
            "baba9d71b3c07dafc5c507a58ade50d5",
        ),
    ],
)
def test_where_nothing_new_is_set_requests_have_the_fingerprints_of_version_0_1(
    config: dict[str, Any], expected: str
) -> None:
    assert fingerprints(**config)[2] == expected


def test_where_nothing_new_is_set_a_task_is_described_as_by_version_0_1() -> None:
    (evaluation,) = plan_of(generation=FIRST_SETTINGS).evaluations

    assert evaluation.tasks[0].settings["generation"] == FIRST_SETTINGS


@pytest.mark.parametrize(
    "new",
    [
        {"temperature": None},
        {"reasoning": "low"},
        {"reasoning": {"budget": 100}},
        {"extra_body": {"top_k": 1}},
    ],
)
def test_what_is_new_changes_every_fingerprint(new: dict[str, Any]) -> None:
    before, after = fingerprints(), fingerprints(generation=new)

    assert not set(before) & set(after)


def test_a_secret_in_the_body_is_not_shown() -> None:
    plan = plan_of(generation={"extra_body": {"api_key": "sk-1", "top_k": 1}})

    settings = plan.evaluations[0].tasks[0].settings

    assert settings["generation"] == {
        "max_tokens": None,
        "temperature": 0.0,
        "top_p": None,
        "seed": None,
        "stop": [],
        "n": 1,
        "extra_body": {"api_key": "***", "top_k": 1},
    }


def test_the_flag_for_max_tokens_wins_over_every_part_of_the_file(tmp_path: Path) -> None:
    file = tmp_path / "eval.yaml"
    file.write_text(
        "models: [{name: fake/a, generation: {max_tokens: null, top_p: null}}, fake/b]\n"
        "tasks: [{dataset: fake, generation: {max_tokens: 7, temperature: null}}]\n"
    )

    config, _ = read_config(
        file,
        models=(),
        datasets=(),
        shots=(),
        metrics=(),
        trackers=(),
        max_tokens=99,
        max_cost=None,
        max_total_tokens=None,
    )

    first, _ = config.models
    assert first.generation is not None
    laid = lay_over(
        GenerationConfig(), config.generation, first.generation, config.tasks[0].generation
    )
    assert laid.max_tokens == 99
    assert laid.model_fields_set == {"max_tokens", "top_p", "temperature"}
