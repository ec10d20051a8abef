"""`llmeval schema`: what an editor accepts is what a run accepts."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import jsonschema
import pytest
import yaml

if TYPE_CHECKING:
    from tests.conftest import Llmeval, PluginFolder


@pytest.fixture
def schema(llmeval: Llmeval, plugin_folder: PluginFolder) -> Any:
    """Give the schema; Any: JSON."""
    plugin_folder.install("capitals")
    finished = llmeval("schema")
    assert finished.exit_code == 0
    return json.loads(finished.stdout)


def problems(schema: Any, run_file: str) -> list[str]:
    """Name the places that are wrong; Any: JSON."""
    validator = jsonschema.Draft202012Validator(schema)
    return [error.json_path for error in validator.iter_errors(yaml.safe_load(run_file))]


def test_the_schema_is_valid_draft_2020_12(schema: Any) -> None:
    assert schema["$schema"] == "https://json-schema.org/draft/2020-12/schema"
    jsonschema.Draft202012Validator.check_schema(schema)


@pytest.mark.parametrize(
    "run_file",
    [
        "models: [atlas/any]\ntasks: [{dataset: capitals}]",
        "models: [{name: atlas/any, generation: {max_tokens: 3}}]\ntasks: [{dataset: capitals:2}]",
        "models: [{name: my/own, provider: parrot}]\ntasks: [{dataset: {use: capitals, n: 2}}]",
        "models: [atlas/any]\ntasks: [{dataset: {use: 'capitals:2', name: two}, shots: 4}]",
        "models: [atlas/any]\ntasks: [{dataset: {use: capitals, n: '${N}'}, shots: [0, 4]}]",
        "models: [atlas/any]\ntasks: [{dataset: capitals, metrics: [exact]}]\nmetrics: [exact]\n"
        "trackers: [notebook, {use: notebook, login: x, required: false, name: other}]",
        "models: [atlas/any]\ntasks: [{dataset: capitals, extract: null}, {dataset: capitals:2, "
        "extract: '(a)|b'}, {dataset: capitals:3, "
        "extract: {pattern: a, match: -1, flags: dotall}}]",
        "models: [atlas/any]\ntasks: [{dataset: capitals, extract: [{boxed: true}, a, "
        "{pattern: a, match: last, flags: [dotall]}, {last_line: true}]}]",
    ],
)
def test_right_run_files_are_accepted(schema: Any, run_file: str) -> None:
    assert problems(schema, run_file) == []


@pytest.mark.parametrize(
    ("run_file", "place"),
    [
        ("models: [nobody/x]\ntasks: [{dataset: capitals}]", "$.models[0]"),
        (
            "models: [{name: atlas/any, heat: 1}]\ntasks: [{dataset: capitals}]",
            "$.models[0]",
        ),
        ("models: [atlas/any]\ntasks: [{dataset: rivers}]", "$.tasks[0].dataset"),
        (
            "models: [atlas/any]\ntasks: [{dataset: {use: capitals, n: 5}}]",
            "$.tasks[0].dataset",
        ),
        (
            "models: [atlas/any]\ntasks: [{dataset: {use: capitals, m: 1}}]",
            "$.tasks[0].dataset",
        ),
        ("models: [atlas/any]\ntasks: [{dataset: capitals, shotz: 1}]", "$.tasks[0]"),
        (
            "models: [atlas/any]\ntasks: [{dataset: capitals, extract: {patern: a}}]",
            "$.tasks[0].extract",
        ),
        (
            "models: [atlas/any]\ntasks: [{dataset: capitals}]\ntrackers: [{use: notebook, x: 1}]",
            "$.trackers[0]",
        ),
        (
            "models: [atlas/any]\ntasks: [{dataset: capitals}]\nexecutor: farm",
            "$.executor",
        ),
    ],
)
def test_wrong_run_files_are_refused_where_they_are_wrong(
    schema: Any, run_file: str, place: str
) -> None:
    assert problems(schema, run_file) == [place]


def test_settings_have_their_descriptions(schema: Any) -> None:
    forms = schema["$defs"]["datasets"]["anyOf"]

    described = [form["properties"]["n"] for form in forms if "properties" in form]

    assert [part["description"] for part in described] == ["First n countries only."] * 2


def test_models_inside_settings_are_found(llmeval: Llmeval, plugin_folder: PluginFolder) -> None:
    plugin_folder.install(
        "nested",
        "from llmeval_core.hooks import Component, Settings, hookimpl\n"
        "class Inner(Settings):\n"
        "    depth: int\n"
        "class Outer(Settings):\n"
        "    inner: Inner\n"
        "@hookimpl\n"
        "def llmeval_register_datasets():\n"
        "    yield Component('nested', Outer, print, 'has parts')\n",
    )
    plugin_folder.install("capitals")

    schema = json.loads(llmeval("schema").stdout)

    models = "models: [atlas/any]\n"
    right = models + "tasks: [{dataset: {use: nested, inner: {depth: 1}}}]"
    wrong = models + "tasks: [{dataset: {use: nested, inner: {depth: deep}}}]"
    assert problems(schema, right) == []
    assert problems(schema, wrong) == ["$.tasks[0].dataset"]


def test_a_plugin_whose_settings_have_no_schema_takes_anything(
    llmeval: Llmeval, plugin_folder: PluginFolder
) -> None:
    plugin_folder.install(
        "wordless",
        "from collections.abc import Callable\n"
        "from llmeval_core.hooks import Component, Settings, hookimpl\n"
        "class Wordless(Settings):\n"
        "    call: Callable[[], int]\n"
        "@hookimpl\n"
        "def llmeval_register_datasets():\n"
        "    yield Component('wordless', Wordless, print, 'cannot be said')\n",
    )
    plugin_folder.install("capitals")

    schema = json.loads(llmeval("schema").stdout)

    run_file = "models: [atlas/any]\ntasks: [{dataset: {use: wordless, call: x}}]"
    assert problems(schema, run_file) == []
