"""What goes between lm-eval and the engine: values as scores, requests as questions, names."""

from __future__ import annotations

import json
import math
import re
from typing import Any

import numpy as np
import pytest
from click.testing import CliRunner
from hypothesis import given, settings
from hypothesis import strategies as st
from llmeval_lm_eval_tasks.aggregates import aggregate_values
from llmeval_lm_eval_tasks.metric_names import legal_name, metrics_of
from llmeval_lm_eval_tasks.questions import cut_answer, generation_settings, laid_over
from llmeval_lm_eval_tasks.score_values import NOTHING, as_score, no_score, value_of

from llmeval_core.cli.group import cli
from llmeval_core.hooks import GenerationSettings, Json, Reasoning, Score
from plugins.tasks.lm_eval.tests.parity.by_llmeval import through_json

VALUES = [
    0.1,
    1,
    True,
    "text",
    None,
    2**80,
    (0.5, 3),
    (np.int64(1), np.float32(0.1)),
    [1, [2.5, "a"]],
    {"a": (1, 2), 3: {"b": None}},
    {1, 2},
    float("inf"),
    np.float64(0.3),
    np.bool_(1),
    np.array([[1.5, 2.5]], dtype=np.float32),
    np.array([], dtype=np.int64),
]


@pytest.mark.parametrize("value", VALUES, ids=repr)
def test_a_value_comes_back_equal_in_content_and_type(value: Any) -> None:
    found = value_of(through_json(as_score(value, adds_up=False)))

    assert type(found) is type(value)
    assert repr(found) == repr(value)


_json = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
    lambda inner: (
        st.lists(inner)
        | st.dictionaries(st.text() | st.integers(), inner)
        | st.tuples(inner, inner)
    ),
    max_leaves=12,
)


@settings(deadline=None, max_examples=60)
@given(_json)
def test_whatever_a_metric_says_comes_back(value: Any) -> None:
    assert repr(value_of(through_json(as_score(value, adds_up=False)))) == repr(value)


def test_what_is_only_added_up_is_a_plain_number() -> None:
    assert [as_score(one, adds_up=True) for one in (1, True, 1.0, np.int64(1))] == [Score(1.0)] * 4
    assert as_score(np.float64(0.3), adds_up=True).value == 0.3


def test_nothing_is_not_a_number_and_not_added() -> None:
    assert value_of(no_score()) is NOTHING
    assert math.isnan(value_of(through_json(as_score(float("nan"), adds_up=True))))
    assert as_score(float("nan"), adds_up=True).value is None


def test_a_value_that_cannot_be_kept_is_refused() -> None:
    with pytest.raises(ValueError, match="a metric gives a object, which cannot be kept"):
        as_score(object(), adds_up=True)


def test_an_aggregate_of_nothing_is_unknown() -> None:
    assert aggregate_values(sum, "acc", [no_score()], n_resamples=10).value is None


@pytest.mark.parametrize(
    ("kwargs", "expected"),
    [
        ({}, GenerationSettings(max_tokens=256)),
        (
            {"until": ["\n", "Q:"], "max_gen_toks": 32, "do_sample": False, "temperature": 0.7},
            GenerationSettings(max_tokens=32, stop=("\n", "Q:")),
        ),
        (
            {"until": "x", "max_new_tokens": 8, "do_sample": True, "temperature": 0.7, "top_p": 1},
            GenerationSettings(max_tokens=8, stop=("x",), temperature=0.7, top_p=1.0),
        ),
        (
            {"num_beams": 1, "top_k": 5},
            GenerationSettings(max_tokens=256, extra_body={"top_k": 5}),
        ),
        ({"num_beams": 4}, GenerationSettings(max_tokens=256, extra_body={"num_beams": 4})),
    ],
)
def test_generation_kwargs_mean_what_they_mean_to_lm_evals_models(
    kwargs: dict[str, Any], expected: GenerationSettings
) -> None:
    assert generation_settings(kwargs) == expected


def test_the_run_file_is_laid_over_generation_settings() -> None:
    own = GenerationSettings(max_tokens=32, stop=("x",), extra_body={"top_k": 5})

    over: dict[str, Json] = {
        "max_tokens": 64,
        "stop": ["y"],
        "reasoning": {"effort": "low"},
        "extra_body": {"min_p": 0.1},
    }

    assert laid_over(own, over) == GenerationSettings(
        max_tokens=64,
        stop=("y",),
        reasoning=Reasoning("low"),
        extra_body={"top_k": 5, "min_p": 0.1},
    )


@pytest.mark.filterwarnings("ignore")
@settings(deadline=None, max_examples=60)
@given(
    st.text(alphabet="ab\n<"),
    st.lists(st.text(alphabet="ab\n", max_size=2), max_size=3) | st.none(),
    st.sampled_from([None, "<"]),
)
def test_answers_are_cut_as_lm_evals_models_cut_them(
    text: str, until: list[str] | None, think_end: str | None
) -> None:
    from lm_eval.models.utils import postprocess_generated_text  # noqa: PLC0415  takes seconds

    assert cut_answer(text, until, think_end) == postprocess_generated_text(text, until, think_end)


def test_names_are_legal_in_every_tracker() -> None:
    names = {one: legal_name(one) for one in ("pass@1", "chrf++", "r@2", "maj@64", "é f1/x", "acc")}

    assert names == {
        "pass@1": "pass_at_1",
        "chrf++": "chrfpp",
        "r@2": "r_at_2",
        "maj@64": "maj_at_64",
        "é f1/x": "é_f1_x",
        "acc": "acc",
    }
    assert all(re.fullmatch(r"[\w\-.]+", name) for name in names.values())


@pytest.mark.parametrize(
    ("output_type", "expected"),
    [
        ("multiple_choice", ["acc", "acc_norm"]),
        ("loglikelihood", ["perplexity", "acc"]),
        ("loglikelihood_rolling", ["word_perplexity", "byte_perplexity", "bits_per_byte"]),
        ("generate_until", ["exact_match"]),
    ],
)
@pytest.mark.filterwarnings("ignore")
def test_metrics_that_yaml_leaves_open_are_lm_evals(
    output_type: str, expected: list[str], library: None
) -> None:
    from lm_eval.api import registry  # noqa: PLC0415  takes seconds

    found = metrics_of({"output_type": output_type})

    assert [one.key for one in found] == expected == registry.DEFAULT_METRIC_REGISTRY[output_type]
    assert all(one.higher_is_better == registry.is_higher_better(one.metric) for one in found)


def test_a_search_finds_names_and_data_sets(cache: Any, monkeypatch: Any) -> None:
    monkeypatch.setenv("LLMEVAL_CACHE", str(cache))
    search = ("tasks", "lm_eval", "--search")

    shown = CliRunner().invoke(cli, [*search, "openai GSM8K cot", "--limit", "2"])
    as_json = CliRunner().invoke(cli, [*search, "gsm8k_cot_zeroshot", "--json"])
    groups = CliRunner().invoke(cli, [*search, "mmlu", "--limit", "1"])
    nothing = CliRunner().invoke(cli, [*search, "no such thing"])

    assert [line.split() for line in shown.stdout.splitlines() if "gsm8k" in line] == [
        ["lm_eval:gsm8k_cot", "task,", "generate_until", "openai/gsm8k", "main"],
        ["lm_eval:gsm8k_cot_llama", "task,", "generate_until", "openai/gsm8k", "main"],
    ]
    assert "... and 2 more: --limit 0 shows all" in shown.stderr
    assert [one["name"] for one in json.loads(as_json.stdout)] == ["gsm8k_cot_zeroshot"]
    assert "lm_eval:" in groups.stdout
    assert "group" in groups.stdout
    assert str(nothing.exception) == (
        "no task of 'lm_eval' has 'no such thing' in what is said of it\n"
        "  try:   all words must occur; try fewer"
    )
