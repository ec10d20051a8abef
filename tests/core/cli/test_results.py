"""`llmeval results`."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from tests.conftest import Llmeval, PluginFolder


@pytest.fixture(autouse=True)
def two_models(plugin_folder: PluginFolder, llmeval: Llmeval) -> None:
    plugin_folder.install("capitals")
    llmeval("run", "-m", "atlas/any", "-m", "parrot/any", "-d", "capitals:3")


def test_the_table_has_every_model(llmeval: Llmeval) -> None:
    finished = llmeval("results")

    assert finished.stdout == (
        "┏━━━━━━━━━━━━┳━━━━━━━━━━━━━━━━━━━━━━┓\n"
        "┃            ┃             capitals ┃\n"
        "┃            ┃                0shot ┃\n"
        "┃            ┃                exact ┃\n"
        "┃ model      ┃                  n=3 ┃\n"
        "┡━━━━━━━━━━━━╇━━━━━━━━━━━━━━━━━━━━━━┩\n"
        "│ atlas/any  │ 0.667 [0.208, 0.939] │\n"
        "│ parrot/any │ 0.000 [0.000, 0.561] │\n"
        "└────────────┴──────────────────────┘\n"
    )
    assert finished.exit_code == 0


def test_markdown(llmeval: Llmeval) -> None:
    finished = llmeval("results", "--format", "md", "-m", "atlas/any")

    assert finished.stdout == (
        "| model | capitals_0shot_exact |\n|---|---:|\n| atlas/any | 0.667 [0.208, 0.939] n=3 |\n"
    )


def test_csv(llmeval: Llmeval) -> None:
    finished = llmeval("results", "--format", "csv", "-m", "parrot/any")

    assert finished.stdout == (
        "model,capitals_0shot_exact,capitals_0shot_exact_stderr,capitals_0shot_exact_low,"
        "capitals_0shot_exact_high,capitals_0shot_exact_n\n"
        "parrot/any,0.0,0.0,0.0,0.5614970317550454,3\n"
    )


def test_json_has_a_cell_for_each_model_and_key(llmeval: Llmeval) -> None:
    finished = llmeval("results", "--json")

    cells = json.loads(finished.stdout)
    assert [(cell["model"], cell["key"]) for cell in cells] == [
        ("atlas/any", "capitals_0shot_exact"),
        ("parrot/any", "capitals_0shot_exact"),
    ]
    assert finished.stdout == llmeval("results", "--format", "json").stdout


def test_categories_are_shown_when_asked_for(llmeval: Llmeval) -> None:
    finished = llmeval("results", "--categories", "--json", "-m", "atlas/any")

    assert {cell["key"]: cell["aggregate"]["value"] for cell in json.loads(finished.stdout)} == {
        "capitals_0shot_exact": pytest.approx(2 / 3),
        "capitals_0shot_exact/America": 0.0,
        "capitals_0shot_exact/Asia": 1.0,
        "capitals_0shot_exact/Europe": 1.0,
    }


def test_the_newest_value_of_a_key_is_shown(llmeval: Llmeval) -> None:
    llmeval("run", "-m", "atlas/any", "-d", "capitals:2")

    finished = llmeval("results", "-m", "atlas/any", "--json")

    assert [cell["aggregate"]["value"] for cell in json.loads(finished.stdout)] == [1.0]


def test_a_filter_that_nothing_fits_says_so(llmeval: Llmeval) -> None:
    finished = llmeval("results", "-d", "rivers")

    assert finished.stdout.startswith("no result fits; ")
    assert finished.exit_code == 0
