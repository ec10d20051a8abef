"""`llmeval history`, and what the run and `results` say of it."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from tests.conftest import Llmeval, PluginFolder

RUN = ("run", "-m", "atlas/any", "-d", "capitals:3")


@pytest.fixture(autouse=True)
def one_result(plugin_folder: PluginFolder, llmeval: Llmeval) -> None:
    plugin_folder.install("capitals")
    assert llmeval(*RUN).exit_code == 0


def test_a_smoke_run_says_that_it_gives_way(llmeval: Llmeval) -> None:
    """Case n3-limit-overwrites."""
    smoke = llmeval(*RUN, "--limit", "1")

    assert "capitals_0shot of atlas/any: 1 of 3 samples give way to the result of" in smoke.stdout
    assert "--replace puts this one there" in smoke.stdout
    assert "n=1 of 3" in smoke.stdout
    assert "0.667 [0.208, 0.939]" in llmeval("results").stdout


def test_replace_takes_the_place(llmeval: Llmeval) -> None:
    """Case n3-limit-overwrites."""
    smoke = llmeval(*RUN, "--limit", "1", "--replace")

    shown = llmeval("results").stdout
    assert "give way" not in smoke.stdout
    assert "1.000 [0.207, 1.000]" in shown
    assert "n=1 of 3" in shown


def test_what_changed_under_a_key_is_said_by_the_run_and_by_results(llmeval: Llmeval) -> None:
    again = llmeval(*RUN, "--max-tokens", "7")

    told = "capitals_0shot of atlas/any: changed since "
    assert told in again.stdout
    assert ": generation.max_tokens; `llmeval history capitals_0shot` has the numbers" in (
        again.stdout
    )
    assert told in llmeval("results").stdout


def test_models_that_were_asked_differently_are_not_compared_in_silence(llmeval: Llmeval) -> None:
    llmeval("run", "-m", "parrot/any", "-d", "capitals:3", "--max-tokens", "7")

    assert (
        "capitals_0shot: not comparable between atlas/any and parrot/any:"
        " they differ in generation.max_tokens\n"
    ) in llmeval("results").stdout


def test_history_has_every_number_and_what_changed(llmeval: Llmeval) -> None:
    llmeval(*RUN, "--limit", "1")
    llmeval(*RUN, "--max-tokens", "7")

    entries = json.loads(llmeval("history", "capitals_0shot_exact", "--json").stdout)

    assert [(one["n_samples"], one["n_total"]) for one in entries] == [(3, 3), (1, 3), (3, 3)]
    assert [one["changed"] for one in entries] == [[], [], ["generation.max_tokens"]]
    assert [one["gave_way"] for one in entries] == [False, True, False]
    assert [one["stands"] for one in entries] == [False, False, True]


def test_history_as_a_table(llmeval: Llmeval) -> None:
    llmeval(*RUN, "--limit", "1")

    shown = llmeval("history", "capitals_0shot", "-m", "atlas/any").stdout

    assert "1 of 3" in shown
    assert "gave way" in shown
    assert "stands" in shown


def test_an_unknown_key_or_model_is_told(llmeval: Llmeval) -> None:
    key = llmeval("history", "capitals_0shot_exakt")
    model = llmeval("history", "capitals_0shot", "-m", "atlas/none")

    assert key.stderr == (
        "error: the journal has no result of 'capitals_0shot_exakt'\n"
        "  try:   did you mean 'capitals_0shot_exact'? `llmeval results` shows what there is\n"
    )
    assert model.stderr == (
        "error: no result of 'capitals_0shot' is from atlas/none\n  try:   these have: atlas/any\n"
    )
    assert (key.exit_code, model.exit_code) == (2, 2)
