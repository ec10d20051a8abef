"""Every message of the command line for what a user can get wrong, whole, once."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from tests.conftest import Llmeval, PluginFolder

RUN = ("run", "-m", "atlas/any", "-d", "capitals")


@pytest.mark.parametrize(
    ("args", "message"),
    [
        (
            ("run", "-m", "atlas/any", "-d", "capitols"),
            "error: unknown data set 'capitols'\n"
            "  where: -d capitols\n"
            "  try:   did you mean 'capitals'? `llmeval datasets` lists all\n",
        ),
        (
            (*RUN, "--metric", "exakt"),
            "error: unknown metric 'exakt'\n"
            "  where: --metric exakt\n"
            "  try:   did you mean 'exact'? `llmeval metrics` lists all\n",
        ),
        (
            ("run", "-m", "atlass/any", "-d", "capitals"),
            "error: unknown model provider 'atlass'\n"
            "  where: -m atlass/any\n"
            "  try:   did you mean 'atlas'? `llmeval models` lists all\n",
        ),
        (
            (*RUN, "--tracker", "notbook"),
            "error: unknown tracker 'notbook'\n"
            "  where: --tracker notbook\n"
            "  try:   did you mean 'notebook'? `llmeval trackers` lists all\n",
        ),
        (
            ("run", "-m", "atlas", "-d", "capitals"),
            "error: wrong value: 'atlas' is not of the form provider/model\n  where: -m atlas\n"
            "  try:   name the provider too, as in 'openai/gpt-4o-mini'; "
            "`llmeval models` lists them\n",
        ),
        (
            ("run", "-m", "atlas/lost", "-d", "capitals"),
            "error: there is no atlas 'lost'\n  where: -m atlas/lost\n  try:   take atlas/any\n",
        ),
        (
            ("run", "-m", "atlas/any", "-d", "capitals:9"),
            "error: wrong value: input should be less than or equal to 4\n  where: -d capitals:9\n",
        ),
        (
            (*RUN, "--metric", "exact:strict"),
            "error: metric 'exact' takes no argument after the colon\n"
            "  where: --metric exact:strict\n"
            "  try:   `llmeval metrics exact` shows its settings\n",
        ),
        (
            (*RUN, "--shots", "0,-4"),
            "error: '0,-4' is not a list of numbers\n"
            "  where: --shots\n"
            "  try:   write --shots 0,4\n",
        ),
        (
            (*RUN, "--base-url", "http://a", "--model-setting", "base_url=http://b"),
            "error: the address of the models' server is given twice\n"
            "  where: --base-url, --model-setting base_url\n"
            "  try:   leave one of them out\n",
        ),
        (
            (*RUN, "--model-setting", "a=1", "--model-setting", "a=2"),
            "error: 'a' is given twice\n  where: --model-setting\n  try:   leave one of them out\n",
        ),
        (
            (*RUN, "-m", "parrot/any", "--base-url", "http://a"),
            "error: unknown key 'base_url'\n"
            "  where: --base-url, of atlas/any\n"
            "  try:   it takes no settings\n",
        ),
        (
            (*RUN, "--tracker", "notebook:", "--model-setting", "x=1"),
            "error: unknown key 'x'\n  where: --model-setting x\n  try:   it takes no settings\n",
        ),
        (
            ("run", "-m", "atlas/any", "capitals"),
            "error: there is no run file 'capitals'\n"
            "  try:   a data set is named with -d: -d capitals\n",
        ),
        (
            ("run", "eval.yaml"),
            "error: there is no run file 'eval.yaml'\n"
            "  try:   name a file that exists, or give -m and -d instead\n",
        ),
        (
            ("run",),
            "error: nothing to run: no models\n"
            "  try:   name a run file, or give -m; `llmeval run --help` has an example\n",
        ),
        (
            (*RUN, "--lmit", "3"),
            "Usage: llmeval run [OPTIONS] [RUN_FILE]\n"
            "Try 'llmeval run --help' for help.\n\n"
            "Error: No such option '--lmit'. (Did you mean one of: '--limit', '--quiet'?)\n",
        ),
        (
            ("rum",),
            "Usage: llmeval [OPTIONS] COMMAND [ARGS]...\n"
            "Try 'llmeval --help' for help.\n\n"
            "Error: No such command 'rum'. Did you mean 'run'?\n",
        ),
        (
            ("-p", "capitals", "plugins"),
            "Usage: llmeval [OPTIONS] COMMAND [ARGS]...\n"
            "Try 'llmeval --help' for help.\n\n"
            "Error: -p takes no:NAME, not 'capitals'\n",
        ),
        (
            ("results",),
            "error: there is no journal in '.llmeval'\n"
            "  try:   run something first, or name the folder with --home DIR\n",
        ),
    ],
)
def test_a_wrong_flag_is_told_in_whole(
    args: tuple[str, ...], message: str, llmeval: Llmeval, plugin_folder: PluginFolder
) -> None:
    plugin_folder.install("capitals")

    finished = llmeval(*args)

    assert message == finished.stderr
    assert finished.stdout == ""
    assert finished.exit_code == 2


@pytest.mark.parametrize(
    ("tasks", "message"),
    [
        (
            "  - dataset: capitals\n    shotz: 3\n",
            "error: unknown key 'shotz'\n"
            "  where: eval.yaml:4, tasks[0].shotz\n"
            "  try:   did you mean 'shots'?\n",
        ),
        (
            "  - dataset: {use: capitals, m: 3}\n",
            "error: unknown key 'm'\n"
            "  where: eval.yaml:3, tasks[0].dataset.m\n"
            "  try:   known keys: n\n",
        ),
        (
            "  - dataset:\n      use: capitals\n      n: many\n",
            "error: wrong value: input should be a valid integer, unable to parse string as an"
            " integer\n"
            "  where: eval.yaml:5, tasks[0].dataset.n\n"
            "  try:   for example `n: 4`\n",
        ),
        (
            "  - dataset: capitals\ntrackers:\n  - use: notebook\n    login: ${NO_SUCH_NAME}\n",
            "error: environment variable NO_SUCH_NAME is not set\n"
            "  where: eval.yaml:6, trackers[0].login\n"
            "  try:   export NO_SUCH_NAME=... before the command\n",
        ),
        (
            "  - dataset: capitals\n    prompt:\n      template: '{{ input'\n",
            "error: the prompt's template is not a template: unexpected end of template, expected"
            " 'end of print statement'\n"
            "  where: capitals_0shot, line 1 of prompt.template\n",
        ),
        (
            "  - dataset: capitals\n  metrics: [exact]\n",
            "error: the run file is not YAML: expected <block end>, but found '?'\n"
            "  where: eval.yaml:4\n",
        ),
    ],
)
def test_a_wrong_run_file_is_told_in_whole(
    tasks: str,
    message: str,
    llmeval: Llmeval,
    plugin_folder: PluginFolder,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    plugin_folder.install("capitals")
    monkeypatch.delenv("NO_SUCH_NAME", raising=False)
    Path("eval.yaml").write_text(f"models: [atlas/any]\ntasks:\n{tasks}", encoding="utf-8")

    finished = llmeval("run", "eval.yaml")

    assert message == finished.stderr
    assert finished.exit_code == 2


def test_a_template_that_fails_on_every_row_is_an_error(
    llmeval: Llmeval, plugin_folder: PluginFolder
) -> None:
    plugin_folder.install("capitals")
    Path("eval.yaml").write_text(
        "models: [atlas/any]\n"
        "tasks: [{dataset: capitals, prompt: {template: '{{ metadata.nope }}'}}]\n",
        encoding="utf-8",
    )

    finished = llmeval("run", "eval.yaml", "--quiet")

    assert finished.stderr == (
        "error: every sample failed: prompt.template: 'dict object' has no attribute 'nope'"
        " (sample 'c3')\n"
        "  where: atlas/any, capitals_0shot\n"
        "  try:   change the template, or give the data set the fields that it uses\n"
    )
    assert finished.exit_code == 2


@pytest.mark.parametrize("command", [("results",), RUN])
def test_a_journal_of_a_newer_version_is_left_alone(
    command: tuple[str, ...], llmeval: Llmeval, plugin_folder: PluginFolder
) -> None:
    plugin_folder.install("capitals")
    Path(".llmeval").mkdir()
    with closing(sqlite3.connect(".llmeval/journal.sqlite")) as connection:
        connection.execute("PRAGMA user_version=99")

    finished = llmeval(*command)

    assert finished.stderr == (
        "error: the journal has version 99, this llmeval knows 7\n"
        "  where: .llmeval/journal.sqlite\n"
        "  try:   upgrade llmeval-core, or choose another folder with --home DIR\n"
    )
    assert finished.exit_code == 2


def test_a_file_that_is_no_journal_is_told(llmeval: Llmeval) -> None:
    Path(".llmeval").mkdir()
    Path(".llmeval/journal.sqlite").write_text("not a database " * 100, encoding="utf-8")

    finished = llmeval("results")

    assert finished.stderr == (
        "error: the journal failed: file is not a database\n"
        "  where: .llmeval/journal.sqlite\n"
        "  try:   move the file away to begin a new journal\n"
    )
    assert finished.exit_code == 2
