"""What a new user types first: files, addresses and settings as flags."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from tests.conftest import Llmeval, PluginFolder

FILES = """\
from pathlib import Path
from llmeval_core.hooks import (
    Attribution, Component, ComponentConfig, ModelInfo, Sample, Settings, TaskDefaults, hookimpl,
)
class FileSettings(Settings):
    path: Path
class Lines:
    defaults = TaskDefaults(metrics=(ComponentConfig(use="exact"),))
    name = "lines"
    def __init__(self, settings):
        self.path = settings.path
    def samples(self):
        for index, line in enumerate(self.path.read_text().splitlines()):
            yield Sample(id=str(index), input=line, references=(line,))
    few_shot_pool = samples
    def size(self):
        return None
    def fingerprint(self):
        return self.path.read_text()
    def attribution(self):
        return Attribution("CC0", "Nobody 2024, Lines")
class ServerSettings(Settings):
    base_url: str
    n_tries: int = 1
class Server:
    def __init__(self, settings):
        self.settings = settings
    def describe(self, model):
        return ModelInfo(cache_key=repr(self.settings), modes=frozenset({"chat"}))
    async def open(self, model):
        raise AssertionError
    def known_models(self):
        return {"small": Attribution("MIT"), "large": Attribution("Own terms", "Them 2025")}
@hookimpl
def llmeval_register_datasets():
    yield Component("lines", FileSettings, Lines, "lines", argument="path", suffixes=(".txt",))
@hookimpl
def llmeval_register_models():
    yield Component("server", ServerSettings, Server, "a server")
    yield Component("tiny", Settings, lambda settings: Server(settings), "tiny ones")
"""
SERVER = ("plan", "-m", "server/a", "-d", "capitals")


@pytest.fixture(autouse=True)
def plugins(plugin_folder: PluginFolder) -> None:
    plugin_folder.install("capitals")
    plugin_folder.install("files", FILES)


def test_a_file_is_read_by_the_data_set_for_such_files(llmeval: Llmeval, work: Path) -> None:
    (work / "faq.txt").write_text("Who?\nWhat?\n")

    finished = llmeval("run", "-m", "parrot/any", "-d", "faq.txt", "-q")
    shown = llmeval("datasets", "show", "faq.txt", "--limit", "1")

    assert "lines" in finished.stdout
    assert finished.exit_code == 0
    assert "Who?" in shown.stdout


def test_a_file_that_nothing_reads_is_told(llmeval: Llmeval, work: Path) -> None:
    (work / "faq.doc").write_text("Who?")

    finished = llmeval("run", "-m", "parrot/any", "-d", "faq.doc")

    assert finished.stderr == (
        "error: nothing says how to read 'faq.doc'\n"
        "  where: -d faq.doc\n"
        "  try:   name a data set that reads files, as in `-d lines:faq.doc`; there are lines\n"
    )


def test_a_data_set_without_its_file_says_how_to_name_it(llmeval: Llmeval) -> None:
    finished = llmeval("run", "-m", "parrot/any", "-d", "lines")

    assert finished.stderr == (
        "error: data set 'lines' needs its path\n"
        "  where: -d lines\n"
        "  try:   write lines:PATH, or add 'path'\n"
    )


def test_a_folder_is_not_taken_for_a_name(llmeval: Llmeval, work: Path) -> None:
    (work / "faq").mkdir()

    finished = llmeval("run", "-m", "parrot/any", "-d", "faq")

    assert finished.stderr.startswith("error: nothing says how to read 'faq'\n")


def test_an_address_and_settings_are_flags(llmeval: Llmeval) -> None:
    finished = llmeval(*SERVER, "--base-url", "http://gpu1/v1", "--model-setting", "n_tries=3")
    wrong = llmeval(*SERVER, "--base-url", "http://gpu1/v1", "--model-setting", "n_tries=many")
    unknown = llmeval("plan", "-m", "parrot/any", "-d", "capitals", "--base-url", "http://x")

    assert finished.exit_code == 0
    assert wrong.stderr == (
        "error: wrong value: input should be a valid integer, unable to parse string as an"
        " integer\n"
        "  where: --model-setting n_tries\n"
        "  try:   for example `n_tries: 1`\n"
    )
    assert unknown.stderr == (
        "error: unknown key 'base_url'\n  where: --base-url\n  try:   it takes no settings\n"
    )


def test_settings_from_flags_win_over_those_of_the_run_file(llmeval: Llmeval, work: Path) -> None:
    (work / "eval.yaml").write_text(
        "models:\n  - {name: server/a, base_url: http://old, n_tries: 2}\n"
        "tasks: [{dataset: capitals}]\n"
    )

    finished = llmeval("plan", "eval.yaml", "--base-url", "http://new", "--json")

    assert '"base_url": "http://new"' in finished.stdout
    assert '"n_tries": 2' in finished.stdout


@pytest.mark.parametrize(
    ("flags", "message"),
    [
        (
            ("-m", "llama", "--base-url", "http://x"),
            "error: 'llama' is not of the form provider/model\n  where: -m llama\n"
            "  try:   write openai_compatible/llama for a server with OpenAI's API\n",
        ),
        (
            ("-m", "meta/llama", "--base-url", "http://x"),
            "error: unknown model provider 'meta'\n  where: -m meta/llama\n"
            "  try:   `llmeval models` lists all; for a server with OpenAI's API, write"
            " -m openai_compatible/MODEL\n",
        ),
        (
            ("-m", "gpt-4o-mini"),
            "error: wrong value: 'gpt-4o-mini' is not of the form provider/model\n"
            "  where: -m gpt-4o-mini\n  try:   did you mean 'openai/gpt-4o-mini'?\n",
        ),
        (
            ("-m", "server/a", "--model-setting", "sk-secret"),
            "error: 'sk-secret' is no setting\n  where: --model-setting\n"
            "  try:   write --model-setting KEY=VALUE\n",
        ),
        (
            ("-m", "server/a", "--model-setting", "key=[sk-secret"),
            "error: the value of 'key' cannot be read\n  where: --model-setting\n"
            "  try:   it is YAML, as in a run file: put quotes around a text with special signs\n",
        ),
        (
            ("-m", "server/a", "--model-setting", "name=b"),
            "error: a model's name is no setting\n  where: --model-setting name\n"
            "  try:   give it with -m\n",
        ),
    ],
    ids=["no provider", "unknown provider", "gpt", "no value", "no yaml", "name"],
)
def test_what_is_meant_is_told(flags: tuple[str, ...], message: str, llmeval: Llmeval) -> None:
    finished = llmeval("plan", "-d", "capitals", *flags)

    assert finished.stderr == message
    assert finished.exit_code == 2


def test_licence_and_citation_are_shown(llmeval: Llmeval, work: Path) -> None:
    (work / "faq.txt").write_text("Who?")

    of_data = llmeval("datasets", "lines:faq.txt")
    of_weights = llmeval("models", "tiny")
    of_one = llmeval("models", "tiny/large")
    of_none = llmeval("models", "server")

    assert "\nlicence: CC0\ncite: Nobody 2024, Lines\n" in of_data.stdout
    assert (
        "model  licence    cite\nsmall  MIT\nlarge  Own terms  Them 2025\n"
    ) in of_weights.stdout
    assert "small" not in of_one.stdout
    assert "licence" not in of_none.stdout


def test_what_is_fetched_is_told_with_its_licence(plugin_folder: PluginFolder, work: Path) -> None:
    source = FILES.partition("@hookimpl\ndef llmeval_register_models")[0]
    fetching = "import logging; logging.getLogger('llmeval.fetch').info('fetching; %s', 'CC0')"
    source = source.replace("def size(self):\n", f"def size(self):\n        {fetching}\n")
    plugin_folder.install(
        "remote", source.replace('"lines", FileSettings', '"remote", FileSettings')
    )
    (work / "faq.txt").write_text("Who?")
    program = "from llmeval_core.cli import main; main()"
    command = [sys.executable, "-c", program, "plan", "-m", "parrot/any", "-d", "remote:faq.txt"]

    finished = subprocess.run(command, cwd=work, capture_output=True, text=True, check=True)

    assert finished.stderr.splitlines()[0] == "fetching; CC0"
