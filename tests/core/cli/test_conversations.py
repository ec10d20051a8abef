"""Tasks that ask as they like, on the command line: run, planned, and shown as conversations."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from tests.conftest import Llmeval, PluginFolder

RUN = ("-m", "echoing/a", "-t", "talk", "--role", "judge=echoing/b")


@pytest.fixture(autouse=True)
def asking_plugin(plugin_folder: PluginFolder) -> None:
    plugin_folder.install("asking")


def test_tasks_are_listed(llmeval: Llmeval) -> None:
    assert "talk  two turns, and a judge" in llmeval("tasks").stdout
    assert "task: talk" in llmeval("tasks", "talk").stdout


def test_a_conversation_is_shown_with_its_calls_and_its_judge(llmeval: Llmeval) -> None:
    assert llmeval("run", *RUN).exit_code == 0

    shown = llmeval("samples", "talk_0shot", "--limit", "1")

    assert shown.stdout == (
        "── 0 · Ann · echoing/a\n"
        "asked     [user] hello Ann\n"
        "answered  hello Ann\n"
        "asked     [user] look at this\n"
        'called    look({"at": 1})\n'
        "asked     [tool] a cat\n"
        "answered  a cat\n"
        "to judge  [user] was 'a cat' polite?\n"
        "judge     was 'a cat' polite?\n"
        "expected  (no reference)\n"
        "scored    polite 1\n"
        "\n"
    )


def test_a_conversation_is_told_as_json(llmeval: Llmeval) -> None:
    llmeval("run", *RUN)

    (first, _) = llmeval("samples", "talk_0shot", "--json").stdout.splitlines()

    sample = json.loads(first)
    assert [turn["role"] for turn in sample["turns"]] == ["model", "model", "model", "judge"]
    assert sample["turns"][2]["asked"]["messages"][-2:] == [
        {
            "role": "assistant",
            "content": "",
            "tool_calls": [
                {
                    "id": "c1",
                    "type": "function",
                    "function": {"name": "look", "arguments": '{"at": 1}'},
                }
            ],
        },
        {"role": "tool", "content": "a cat", "tool_call_id": "c1"},
    ]
    assert sample["scores"]["polite"] == {
        "value": 1.0,
        "parsed": None,
        "details": {"said": "was 'a cat' polite?"},
    }


def test_a_plan_shows_what_others_are_asked(llmeval: Llmeval) -> None:
    planned = llmeval("plan", *RUN)

    assert "about 6 requests to send" in planned.stdout
    assert "judge: echoing/b" in planned.stdout
    assert "4 requests" not in planned.stdout


def test_a_role_without_a_model_is_told(llmeval: Llmeval) -> None:
    finished = llmeval("run", "-m", "echoing/a", "-t", "talk")

    assert finished.stderr == (
        "error: no model has the role 'judge'\n"
        "  where: -t talk\n"
        "  try:   name one in the run file: `roles: {judge: provider/model}`,"
        " or by `--role judge=provider/model`\n"
    )


def test_a_role_is_written_with_its_model(llmeval: Llmeval) -> None:
    finished = llmeval("run", "-m", "echoing/a", "-t", "talk", "--role", "echoing/b")

    assert finished.stderr == (
        "error: 'echoing/b' does not say who has which role\n"
        "  where: --role echoing/b\n"
        "  try:   write --role judge=PROVIDER/MODEL\n"
    )


def test_two_models_have_no_role_together(llmeval: Llmeval) -> None:
    finished = llmeval("run", *RUN, "--role", "judge=echoing/c")

    assert finished.stderr == (
        "error: two models have the role 'judge'\n"
        "  where: --role judge=echoing/c\n"
        "  try:   leave one of them out, or give it another role\n"
    )


def test_a_misspelt_role_is_shown_beside_the_one_that_is_wanted(llmeval: Llmeval) -> None:
    finished = llmeval("run", "-m", "echoing/a", "-t", "talk", "--role", "jugde=echoing/b")

    assert finished.stderr == (
        "error: no model has the role 'judge'\n"
        "  where: -t talk\n"
        "  try:   name one in the run file: `roles: {judge: provider/model}`,"
        " or by `--role judge=provider/model`; its roles are jugde\n"
    )


def test_a_role_of_a_flag_leaves_the_other_roles_of_the_run_file(
    llmeval: Llmeval, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    run_file = tmp_path / "eval.yaml"
    run_file.write_text(
        "models: [echoing/a]\ntasks: [{task: talk}]\n"
        "roles: {judge: echoing/b, critic: echoing/c}\n",
        encoding="utf-8",
    )

    finished = llmeval("plan", str(run_file), "--role", "critic=echoing/d")

    assert "judge: echoing/b" in finished.stdout
    assert caplog.messages == ["no task asks the role 'critic' (echoing/d)"]


def test_a_role_that_nobody_asks_is_noted(
    llmeval: Llmeval, caplog: pytest.LogCaptureFixture
) -> None:
    llmeval("plan", *RUN, "--role", "critic=echoing/c")

    assert "no task asks the role 'critic' (echoing/c)" in caplog.messages


def test_a_conversation_is_asked_again_as_a_whole(llmeval: Llmeval) -> None:
    llmeval("run", *RUN)

    once = llmeval("run", *RUN, "--again", "id:Ann")
    twice = llmeval("run", *RUN, "--again", "id:Ann")

    assert once.stderr.count("talk_0shot: 1 samples were asked again and replaced") == 1
    assert "4 requests" in once.stdout + once.stderr
    assert "talk_0shot: nothing left to ask again since" in twice.stderr
