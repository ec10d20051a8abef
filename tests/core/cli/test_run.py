"""`llmeval run`, through its real door."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from llmeval_core.cli.run_action import echo_failures
from llmeval_core.errors import LlmevalError

if TYPE_CHECKING:
    from tests.conftest import Finished, Llmeval, PluginFolder

RUN_FILE = """\
models:
  - name: parrot/any
    generation: {max_tokens: 3, temperature: 0.5}
tasks:
  - dataset: capitals
    shots: [0]
    metrics: [{use: exact, name: strict}]
    generation: {max_tokens: 4}
generation: {max_tokens: 2, top_p: 0.9}
limit: 2
"""
PROGRAM = (sys.executable, "-c", "from llmeval_core.cli import main; main()")


def keys(finished: Finished) -> list[tuple[str, str]]:
    """Name model and metric key of every whole-task number."""
    return [
        (result["model"], metric["key"])
        for result in json.loads(finished.stdout)["results"]
        for metric in result["metrics"]
        if metric["category"] is None
    ]


@pytest.fixture(autouse=True)
def capitals(plugin_folder: PluginFolder) -> None:
    plugin_folder.install("capitals")


def test_a_run_prints_the_leaderboard_and_what_failed(llmeval: Llmeval) -> None:
    finished = llmeval("run", "-m", "atlas/any", "-d", "capitals")

    assert "0.667 [0.208, 0.939] (1 failed)" in finished.stdout
    assert "4 samples, 4 requests, 1 failed" in finished.stdout
    assert "atlas/any capitals_0shot: 4 samples\n" in finished.stderr
    assert finished.exit_code == 1


def test_quiet_shows_only_the_table(llmeval: Llmeval) -> None:
    finished = llmeval("run", "-m", "atlas/any", "-d", "capitals", "--limit", "3", "--quiet")

    assert finished.stderr == ""
    assert "0.667 [0.208, 0.939]" in finished.stdout
    assert finished.exit_code == 0


def test_the_same_run_again_asks_nothing(llmeval: Llmeval) -> None:
    arguments = ("run", "-m", "atlas/any", "-d", "capitals", "--limit", "3", "--json")
    llmeval(*arguments)

    again = json.loads(llmeval(*arguments).stdout)

    assert again["n_requests"] == 0
    assert again["results"][0]["metrics"][0]["aggregate"]["n_scored"] == 3


def test_a_run_file_alone_is_run_as_it_says(llmeval: Llmeval) -> None:
    Path("eval.yaml").write_text(RUN_FILE, encoding="utf-8")

    finished = llmeval("run", "eval.yaml", "--json")

    assert keys(finished) == [("parrot/any", "capitals_0shot_strict")]
    assert json.loads(finished.stdout)["n_samples"] == 2


def test_flags_win_over_the_run_file(llmeval: Llmeval) -> None:
    Path("eval.yaml").write_text(RUN_FILE, encoding="utf-8")

    finished = llmeval(
        "run",
        "eval.yaml",
        *("-m", "atlas/other", "--limit", "1", "--shots", "0,1", "--metric", "exact", "--json"),
    )

    assert keys(finished) == [
        ("atlas/other", "capitals_0shot_exact"),
        ("atlas/other", "capitals_1shot_exact"),
    ]
    assert json.loads(finished.stdout)["n_samples"] == 2


def test_max_tokens_wins_over_run_task_and_model_and_leaves_the_rest(llmeval: Llmeval) -> None:
    Path("eval.yaml").write_text(RUN_FILE, encoding="utf-8")

    finished = llmeval("run", "eval.yaml", "--max-tokens", "7", "--json")

    settings = json.loads(finished.stdout)["results"][0]["settings"]
    assert settings["generation"]["max_tokens"] == 7
    assert settings["generation"]["temperature"] == 0.5
    assert settings["generation"]["top_p"] == 0.9


def test_a_data_set_flag_replaces_the_tasks_of_the_file(llmeval: Llmeval) -> None:
    Path("eval.yaml").write_text(RUN_FILE, encoding="utf-8")

    finished = llmeval("run", "eval.yaml", "-d", "capitals:1", "--json")

    assert keys(finished) == [("parrot/any", "capitals_0shot_exact")]
    assert json.loads(finished.stdout)["n_samples"] == 1


def test_an_error_in_a_flag_over_a_run_file_names_the_flag(llmeval: Llmeval) -> None:
    Path("eval.yaml").write_text(RUN_FILE, encoding="utf-8")

    finished = llmeval("run", "eval.yaml", "-m", "nobody/x")

    assert "  where: -m nobody/x\n" in finished.stderr


def test_a_model_name_with_brackets_is_shown_as_it_is(llmeval: Llmeval) -> None:
    finished = llmeval("run", "-m", "atlas/[red]a[/red]", "-d", "capitals:1", "--quiet")

    assert "atlas/[red]a[/red]" in finished.stdout


def test_a_plugin_can_be_left_alone(llmeval: Llmeval) -> None:
    finished = llmeval("-p", "no:capitals", "run", "-m", "atlas/any", "-d", "capitals")

    assert finished.stderr.startswith("error: unknown model provider 'atlas'")


@pytest.mark.parametrize("command", ["run", "plan"])
def test_ctrl_c_while_the_plan_is_made_ends_without_a_traceback(
    command: str, plugin_folder: PluginFolder, work: Path
) -> None:
    plugin_folder.install(
        "slow",
        "import sys, threading\n"
        "from llmeval_core.hooks import Component, Settings, hookimpl\n"
        "def make(settings):\n"
        "    print('making', flush=True)\n"
        "    threading.Event().wait()\n"
        "@hookimpl\n"
        "def llmeval_register_datasets():\n"
        "    yield Component('slow', Settings, make, 'takes forever')\n",
    )
    with subprocess.Popen(
        [*PROGRAM, command, "-m", "atlas/any", "-d", "slow"],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        cwd=work,
    ) as program:
        assert program.stderr is not None
        assert program.stderr.readline() == "making\n"

        program.send_signal(signal.SIGINT)
        _, errors = program.communicate(timeout=30)

    assert errors.strip() == "interrupted"
    assert program.returncode == 130


def test_a_second_ctrl_c_during_a_run_stops_at_once(
    plugin_folder: PluginFolder, work: Path
) -> None:
    plugin_folder.install(
        "waiting",
        "import asyncio\n"
        "from llmeval_core.hooks import *\n"
        "class Waiting:\n"
        "    def describe(self, model):\n"
        "        return ModelInfo('waiting', frozenset({'chat'}), max_concurrency=1)\n"
        "    async def open(self, model):\n"
        "        return self\n"
        "    async def generate(self, request):\n"
        "        if 'Peru' in request.messages[-1].text:\n"
        "            print('asked', flush=True)\n"
        "            await asyncio.Event().wait()\n"
        "        return Generation(('Paris',))\n"
        "    async def aclose(self):\n"
        "        pass\n"
        "@hookimpl\n"
        "def llmeval_register_models():\n"
        "    yield Component('waiting', Settings, lambda settings: Waiting(), 'waits at Peru')\n",
    )
    with subprocess.Popen(
        [*PROGRAM, "run", "-m", "waiting/x", "-d", "capitals"],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        cwd=work,
    ) as program:
        assert program.stderr is not None
        while program.stderr.readline() != "asked\n":
            pass

        program.send_signal(signal.SIGINT)
        while "Ctrl-C again stops at once" not in program.stderr.readline():
            pass
        program.send_signal(signal.SIGINT)
        _, errors = program.communicate(timeout=30)

    assert errors == "stopped at once; everything committed is kept\n"
    assert program.returncode == 130


def test_samples_that_all_ask_the_same_are_told_while_they_run(
    llmeval: Llmeval, tmp_path: Path
) -> None:
    """n2-chat-messages, d09-same-input-in-all-rows: one brace too few, and one request for all."""
    file = tmp_path / "braces.yaml"
    file.write_text(
        "models: [atlas/any]\n"
        "tasks: [{dataset: capitals, prompt: {template: 'Q: {question}'}, limit: 3}]\n"
    )

    finished = llmeval("run", str(file))

    assert (
        "atlas/any capitals_0shot: warning: 3 samples make only 1 different request:"
        " does the prompt show what tells them apart?"
    ) in finished.stderr


def test_numbers_of_shots_may_be_given_one_by_one(llmeval: Llmeval) -> None:
    finished = llmeval(
        "run", "-m", "parrot/any", "-d", "capitals", "--shots", "0", "--shots", "1,2", "--json"
    )

    results = json.loads(finished.stdout)["results"]
    assert [one["task"] for one in results] == [f"capitals_{n}shot" for n in (0, 1, 2)]


def test_one_sample_is_not_called_samples(llmeval: Llmeval) -> None:
    finished = llmeval("run", "-m", "atlas/any", "-d", "capitals:1", "-q")

    assert finished.stdout.splitlines()[-1].startswith("1 sample, 1 request, 0 failed, ")


def test_many_errors_with_the_same_remedy_are_told_once(capsys: pytest.CaptureFixture[str]) -> None:
    alike = [LlmevalError(f"no data of {n}", where="hub", hint="fetch them") for n in range(57)]
    others = [LlmevalError("a bug"), LlmevalError("another"), LlmevalError("a third")]
    few = [LlmevalError(f"no key for {n}", hint="set it") for n in range(4)]

    echo_failures([*alike, *others, LlmevalError("a fourth"), *few])

    told = capsys.readouterr().err.splitlines()
    assert [line for line in told if not line.startswith("  ")] == [
        "error: no data of 0",
        "error: no data of 1",
        "error: no data of 2",
        "and 54 more errors like the one above, with the same remedy",
        "error: a bug",
        "error: another",
        "error: a third",
        "error: a fourth",
        *(f"error: no key for {n}" for n in range(4)),
    ]
