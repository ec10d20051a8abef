"""`llmeval samples`."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from llmeval_core.cli import samples
from llmeval_core.cli.sample_view import result_parts
from llmeval_core.reasoning import ReasoningFinder
from llmeval_core.records import OUTCOMES, Failure, SampleResult, Score
from llmeval_core.testing import make_generation, make_request, make_sample

if TYPE_CHECKING:
    from tests.conftest import Llmeval, PluginFolder


@pytest.fixture(autouse=True)
def atlas_at_capitals(plugin_folder: PluginFolder, llmeval: Llmeval) -> None:
    plugin_folder.install("capitals")
    llmeval("run", "-m", "atlas/any", "-d", "capitals")


def ids(lines: str) -> list[str]:
    return [json.loads(line)["id"] for line in lines.splitlines()]


def test_a_sample_is_shown_with_all_that_happened_to_it(llmeval: Llmeval) -> None:
    finished = llmeval("samples", "capitals_0shot", "--limit", "1")

    assert finished.stdout == (
        "── 0 · c0 · Europe · atlas/any\n"
        "asked     [user] Capital of France?\n"
        "answered  Paris\n"
        "expected  Paris\n"
        "scored    exact 1, found 'Paris'\n"
        "\n"
    )
    assert finished.stderr == "the first 1; --limit 0 shows all\n"
    assert finished.exit_code == 0


def test_failed_samples_tell_why(llmeval: Llmeval) -> None:
    finished = llmeval("samples", "capitals_0shot", "--failed")

    assert finished.stdout == (
        "── 3 · c3 · Europe · atlas/any\n"
        "input     Capital of Atlantis?\n"
        "expected  Poseidonia\n"
        "failed    bad_request: Atlantis is on no map\n"
        "\n"
    )


@pytest.mark.parametrize("key", ["capitals_0shot", "capitals_0shot_exact"])
def test_wrong_samples_are_scored_and_bad(key: str, llmeval: Llmeval) -> None:
    finished = llmeval("samples", key, "--wrong", "--json")

    assert ids(finished.stdout) == ["c2"]


def test_failed_and_wrong_are_both_shown_if_both_are_asked_for(llmeval: Llmeval) -> None:
    finished = llmeval("samples", "capitals_0shot", "--wrong", "--failed", "--json")

    assert ids(finished.stdout) == ["c2", "c3"]


def test_the_key_of_a_category_shows_only_that(llmeval: Llmeval) -> None:
    finished = llmeval("samples", "capitals_0shot_exact/Europe", "--json")

    assert ids(finished.stdout) == ["c0", "c3"]


def test_json_lines_have_everything(llmeval: Llmeval) -> None:
    finished = llmeval("samples", "capitals_0shot", "--limit", "1", "--json")

    assert json.loads(finished.stdout) == {
        "model": "atlas/any",
        "task": "capitals_0shot",
        "index": 0,
        "id": "c0",
        "category": "Europe",
        "input": "Capital of France?",
        "expected": {"references": ["Paris"], "choices": [], "answer": None},
        "asked": {
            "mode": "chat",
            "messages": [{"role": "user", "content": "Capital of France?"}],
            "prompt": None,
            "continuations": [],
        },
        "answered": {
            "texts": ["Paris"],
            "loglikelihoods": [],
            "finish_reason": None,
            "n_prompt_tokens": 4,
            "n_completion_tokens": 1,
            "latency_s": 0.01,
            "served_by": None,
            "stop_reasons": [],
            "reasonings": [],
            "n_reasoning_tokens": None,
            "refusal": None,
            "not_sent": [],
        },
        "scores": {"exact": {"value": 1.0, "parsed": "Paris"}},
        "outcome": "answered",
        "failure": None,
    }


def test_an_unknown_key_is_told_with_the_nearest(llmeval: Llmeval) -> None:
    finished = llmeval("samples", "capitals_0shot_exakt")

    assert finished.stderr == (
        "error: the journal has no samples of 'capitals_0shot_exakt'\n"
        "  try:   did you mean 'capitals_0shot_exact'? `llmeval results` shows what there is\n"
    )
    assert finished.exit_code == 2


def test_the_name_of_a_data_set_is_told_with_the_key_of_its_task(llmeval: Llmeval) -> None:
    told = [llmeval(command, "capitals").stderr for command in ("samples", "history")]

    hint = "  try:   did you mean 'capitals_0shot'? `llmeval results` shows what there is\n"
    assert told == [
        f"error: the journal has no samples of 'capitals'\n{hint}",
        f"error: the journal has no result of 'capitals'\n{hint}",
    ]


def test_a_model_must_be_named_if_several_have_the_key(llmeval: Llmeval) -> None:
    llmeval("run", "-m", "parrot/any", "-d", "capitals")

    ambiguous = llmeval("samples", "capitals_0shot")
    named = llmeval("samples", "capitals_0shot", "-m", "parrot/any", "--json", "--limit", "1")

    assert ambiguous.stderr == (
        "error: 2 models have samples of 'capitals_0shot'\n"
        "  try:   name one with -m: atlas/any, parrot/any\n"
    )
    assert ambiguous.exit_code == 2
    assert json.loads(named.stdout)["answered"]["texts"] == ["Capital of France?"]


def test_an_unknown_model_is_told_with_those_that_have_the_key(llmeval: Llmeval) -> None:
    finished = llmeval("samples", "capitals_0shot", "-m", "someone/else")

    assert finished.stderr == (
        "error: the journal has no samples of 'capitals_0shot' from 'someone/else'\n"
        "  try:   these have: atlas/any\n"
    )


def test_the_samples_are_those_of_the_newest_result(llmeval: Llmeval) -> None:
    llmeval("run", "-m", "atlas/any", "-d", "capitals:2")

    finished = llmeval("samples", "capitals_0shot", "--json")

    assert ids(finished.stdout) == ["c0", "c1"]


def test_texts_from_models_cannot_steer_the_terminal(
    llmeval: Llmeval, plugin_folder: PluginFolder
) -> None:
    plugin_folder.install(
        "nasty",
        "from llmeval_core.hooks import *\n"
        "class Nasty:\n"
        "    def describe(self, model):\n"
        "        return ModelInfo('nasty', frozenset({'chat'}))\n"
        "    async def open(self, model):\n"
        "        return self\n"
        "    async def generate(self, request):\n"
        "        return Generation(('\\x1b[31m[bold]a[/bold]\\r\\u202eb\\x9b\\n\\tc',))\n"
        "    async def aclose(self):\n"
        "        pass\n"
        "@hookimpl\n"
        "def llmeval_register_models():\n"
        "    yield Component('nasty', Settings, lambda settings: Nasty(), 'means no good')\n",
    )
    llmeval("run", "-m", "nasty/x", "-d", "capitals:1")

    finished = llmeval("samples", "capitals_0shot", "-m", "nasty/x")

    assert "answered  \\x1b[31m[bold]a[/bold]\\x0d\\u202eb\\x9b\n          \tc\n" in finished.stdout


def test_choices_are_shown_with_their_likelihoods(
    llmeval: Llmeval, plugin_folder: PluginFolder
) -> None:
    plugin_folder.install(
        "weigher",
        "from llmeval_core.hooks import *\n"
        "class Weigher:\n"
        "    def describe(self, model):\n"
        "        return ModelInfo('weigher', frozenset({'loglikelihood'}))\n"
        "    async def open(self, model):\n"
        "        return self\n"
        "    async def generate(self, request):\n"
        "        return Generation(loglikelihoods=(Loglikelihood(-0.5), Loglikelihood(-12.25)))\n"
        "    async def aclose(self):\n"
        "        pass\n"
        "class Colours:\n"
        "    name = 'colours'\n"
        "    defaults = TaskDefaults(metrics=(ComponentConfig(use='exact'),))\n"
        "    def samples(self):\n"
        "        yield Sample('s', 'The sky is', choices=('green', 'blue'), answer=1)\n"
        "    few_shot_pool = samples\n"
        "    def size(self):\n"
        "        return 1\n"
        "    def fingerprint(self):\n"
        "        return 'colours'\n"
        "@hookimpl\n"
        "def llmeval_register_models():\n"
        "    yield Component('weigher', Settings, lambda settings: Weigher(), 'weighs')\n"
        "@hookimpl\n"
        "def llmeval_register_datasets():\n"
        "    yield Component('colours', Settings, lambda settings: Colours(), 'of things')\n",
    )
    llmeval("run", "-m", "weigher/x", "-d", "colours")

    finished = llmeval("samples", "colours_0shot")

    assert finished.stdout == (
        "── 0 · s · weigher/x\n"
        "asked     The sky is\n"
        "weighed   ' green'\n"
        "weighed   ' blue'\n"
        "answered     -0.500  ' green'\n"
        "answered    -12.250  ' blue'\n"
        "expected  B. blue\n"
        "scored    exact 0, found ''\n"
        "\n"
    )


def test_the_outcomes_to_choose_from_are_all_there_are() -> None:
    assert samples.OUTCOMES == OUTCOMES


def test_each_metric_that_could_not_score_a_sample_says_why() -> None:
    result = SampleResult(
        0,
        make_sample(),
        make_request(),
        make_generation("Paris"),
        {"right": Score(1.0)},
        Failure("metric", "judged: no verdict"),
        outcome="unscored",
        metric_failures={
            "judged": Failure("metric", "no verdict"),
            "counted": Failure("metric", "no number"),
        },
    )

    parts = result_parts(result, ReasoningFinder())

    assert ("answered", "Paris") in parts
    assert parts[-3:] == [
        ("failed", "metric: judged: no verdict"),
        ("failed", "metric: counted: no number"),
        ("scored", "right 1"),
    ]
