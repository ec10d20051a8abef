"""`llmeval datasets`, `models`, `metrics` and `trackers`: what is on offer."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from tests.conftest import Llmeval, PluginFolder


@pytest.fixture(autouse=True)
def capitals(plugin_folder: PluginFolder) -> None:
    plugin_folder.install("capitals")


@pytest.mark.parametrize(
    ("kind", "listed"),
    [
        ("datasets", [("capitals", "capitals of the world")]),
        ("models", [("atlas", "knows two capitals"), ("parrot", "repeats the question")]),
        ("metrics", [("exact", "the answer is the reference")]),
        ("trackers", [("notebook", "a line a result")]),
    ],
)
def test_a_list_names_summary_and_distribution(
    kind: str, listed: list[tuple[str, str]], llmeval: Llmeval
) -> None:
    table = llmeval(kind)
    as_json = llmeval(kind, "--json")

    expected = [(name, summary, "fake-capitals 1.0") for name, summary in listed]
    rows = [
        tuple(part.strip() for part in line.split("  ") if part) for line in _body(table.stdout)
    ]
    assert rows == expected
    assert [tuple(offer.values()) for offer in json.loads(as_json.stdout)] == expected
    assert table.exit_code == 0


def test_a_name_shows_settings_example_and_origin(llmeval: Llmeval) -> None:
    finished = llmeval("trackers", "notebook")

    assert [line.rstrip() for line in finished.stdout.splitlines()] == [
        "notebook: a line a result (fake-capitals 1.0)",
        "",
        "setting  type  default           description",
        'path     path  "notebook.jsonl"  The file, in the home folder. Also after a colon: '
        "NAME:PATH",
        "login    text                    What opens the notebook.",
        "",
        "In the run file:",
        "",
        "  trackers: [notebook]",
    ]


def test_an_entrys_own_example_is_shown(llmeval: Llmeval) -> None:
    finished = llmeval("metrics", "exact")

    assert finished.stdout == (
        "exact: the answer is the reference (fake-capitals 1.0)\n"
        "\n"
        "It takes no settings.\n"
        "\n"
        "In the run file:\n"
        "\n"
        "  metrics: [exact]\n"
    )


def test_a_model_provider_is_also_found_by_a_models_name(llmeval: Llmeval) -> None:
    finished = llmeval("models", "atlas/any")

    assert finished.stdout.startswith("atlas: knows two capitals")
    assert finished.stdout.endswith("  models: [atlas/MODEL]\n")


KNOWING = """
from llmeval_core.hooks import Attribution, Component, ModelInfo, Settings, hookimpl
class Knowing:
    def describe(self, model): return ModelInfo("knowing", frozenset({"chat"}))
    async def open(self, model): return self
    def known_models(self): return {"small": Attribution("MIT"), "large": Attribution("MIT")}
@hookimpl
def llmeval_register_models():
    yield Component("knowing", Settings, lambda settings: Knowing(), "knows two models")
"""


def test_a_model_that_a_provider_with_known_models_does_not_know_is_told(
    llmeval: Llmeval, plugin_folder: PluginFolder
) -> None:
    plugin_folder.install("knowing", KNOWING)

    meant, odd = llmeval("models", "knowing/smal"), llmeval("models", "knowing/x")

    assert meant.stderr == "'knowing' knows no model 'smal': did you mean 'small'?\n"
    assert odd.stderr == "'knowing' knows no model 'x': it knows small, large\n"
    assert llmeval("models", "knowing/small").stderr == ""
    assert llmeval("models", "knowing").stderr == ""


def test_json_of_a_name_has_the_schema_of_its_settings(llmeval: Llmeval) -> None:
    finished = llmeval("datasets", "capitals", "--json")

    described = json.loads(finished.stdout)
    assert described["settings"]["properties"]["n"] == {
        "default": 4,
        "description": "First n countries only.",
        "maximum": 4,
        "minimum": 1,
        "title": "N",
        "type": "integer",
    }
    assert described["example"] == "tasks:\n  - dataset: capitals"
    assert described["argument"] == "n"


def test_what_must_be_given_is_in_a_made_up_example(
    llmeval: Llmeval, plugin_folder: PluginFolder
) -> None:
    plugin_folder.install(
        "demanding",
        "from typing import Literal\n"
        "from llmeval_core.hooks import Component, Settings, hookimpl\n"
        "class Wishes(Settings):\n"
        "    path: str\n"
        "    flavour: Literal['sweet', 'sour']\n"
        "    weights: tuple[float, ...] | None = None\n"
        "@hookimpl\n"
        "def llmeval_register_datasets():\n"
        "    yield Component('demanding', Wishes, print, 'wants a lot', argument='path')\n",
    )

    finished = llmeval("datasets", "demanding")

    assert [line.rstrip() for line in finished.stdout.splitlines()][2:] == [
        "setting  type              default        description",
        "path     text              must be given  Also after a colon: NAME:PATH",
        'flavour  "sweet" | "sour"  must be given',
        "weights  list of number",
        "",
        "In the run file:",
        "",
        "  tasks:",
        "    - dataset: {use: demanding:PATH, flavour: FLAVOUR}",
    ]


def test_settings_without_a_json_schema_are_the_plugins_error(
    llmeval: Llmeval, plugin_folder: PluginFolder
) -> None:
    plugin_folder.install(
        "wordless",
        "from collections.abc import Callable\n"
        "from llmeval_core.hooks import Component, Settings, hookimpl\n"
        "class Wordless(Settings):\n"
        "    call: Callable[[], int]\n"
        "@hookimpl\n"
        "def llmeval_register_metrics():\n"
        "    yield Component('wordless', Wordless, print, 'cannot be said')\n",
    )

    finished = llmeval("metrics", "wordless")

    assert finished.stderr.startswith("error: the settings of 'wordless' have no JSON Schema: ")
    assert finished.stderr.endswith(
        "  where: fake-wordless 1.0\n  try:   this is a bug in the plugin; tell its author\n"
    )
    assert finished.exit_code == 2


def test_an_unknown_name_is_told_with_the_nearest(llmeval: Llmeval) -> None:
    finished = llmeval("trackers", "notbook")

    assert finished.stderr == (
        "error: unknown tracker 'notbook'\n"
        "  try:   did you mean 'notebook'? `llmeval trackers` lists all\n"
    )
    assert finished.exit_code == 2


def test_an_empty_list_says_so(llmeval: Llmeval) -> None:
    finished = llmeval("-p", "no:capitals", "metrics")

    assert finished.stdout == "no plugin offers metrics; install one, such as llmeval-metrics\n"


def test_a_list_tells_of_broken_plugins(llmeval: Llmeval, plugin_folder: PluginFolder) -> None:
    plugin_folder.install("broken_import")

    finished = llmeval("metrics")

    assert finished.stderr == (
        "plugin 'broken_import' is broken and missing here; `llmeval plugins` says why\n"
    )
    assert finished.exit_code == 0


def _body(table: str) -> list[str]:
    return table.splitlines()[1:]


def test_a_misspelt_subcommand_is_told_with_the_one_that_is_meant(llmeval: Llmeval) -> None:
    with_a_name = llmeval("datasets", "shwo", "capitals")
    alone = llmeval("trackers", "stauts")

    assert with_a_name.stderr.endswith("Error: No such command 'shwo'. Did you mean 'show'?\n")
    assert alone.stderr == (
        "error: unknown tracker 'stauts'\n"
        "  try:   did you mean 'status', the command? `llmeval trackers` lists all\n"
    )
    assert (with_a_name.exit_code, alone.exit_code) == (2, 2)


def test_the_words_of_plugin_after_plugins_are_told(llmeval: Llmeval) -> None:
    finished = llmeval("plugins", "new", "metric")

    assert finished.stderr.endswith(
        "Error: this command only lists. Did you mean 'llmeval plugin new metric'?\n"
    )
