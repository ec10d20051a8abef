"""Output is not control flow: whatever becomes of it, runs go on and exit codes stay true."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from llmeval_core import cli
from llmeval_core.journal import Journal

if TYPE_CHECKING:
    from tests.conftest import Llmeval, PluginFolder

PROGRAM = [sys.executable, "-c", "from llmeval_core.cli import main; main()"]
RUN = ("run", "-m", "atlas/any", "-d", "capitals:3")
ONE_RESULT = "capitals_0shot_exact"


@pytest.fixture(autouse=True)
def capitals(plugin_folder: PluginFolder) -> None:
    plugin_folder.install("capitals")


def shell(redirections: str, *args: str, **environ: str) -> subprocess.CompletedProcess[str]:
    """Run llmeval under a shell that closes or redirects its standard streams."""
    return subprocess.run(
        ["sh", "-c", f'exec "$@" {redirections}', "sh", *PROGRAM, *args],
        env={**os.environ, **environ},
        capture_output=True,
        text=True,
        errors="replace",
        check=False,
        timeout=60,
    )


def keys_of(home: Path) -> list[str]:
    """Name the metrics of all results."""
    with Journal(home) as journal, journal.reader() as reader:
        return [metric.key for result in reader.results() for metric in result.metrics]


@pytest.mark.parametrize(
    ("redirections", "stderr"),
    [
        (">&-", "standard output is closed; what would have stood there is lost\n"),
        (">/dev/full", "the output could not be written: No space left on device\n"),
        ("2>&-", ""),
        ("2>/dev/full", ""),
        (">&- 2>&-", ""),
        (">&- 2>&- <&-", ""),
        (">/dev/full 2>/dev/full", ""),
        (">&- 2>/dev/full", ""),
    ],
)
def test_a_run_goes_on_and_delivers_whatever_becomes_of_its_output(
    redirections: str, stderr: str, work: Path
) -> None:
    """Cases h1-progress-line-cannot-be-written and h6-stdout-closed-or-full."""
    how = "--json" if "2>&-" in redirections else "--quiet"

    finished = shell(redirections, *RUN, "--tracker", "notebook", how)

    assert (finished.returncode, finished.stderr) == (0, stderr)
    assert "capitals_0shot" in (work / ".llmeval" / "notebook.jsonl").read_text(encoding="utf-8")
    assert ONE_RESULT in keys_of(work / ".llmeval")


def test_a_progress_line_whose_reader_is_gone_ends_no_run(work: Path) -> None:
    """Case h1-progress-line-cannot-be-written: `2>&1 | head -1`."""
    reading, writing = os.pipe()
    os.close(reading)

    finished = subprocess.run(
        [*PROGRAM, *RUN], stdout=writing, stderr=writing, check=False, timeout=60
    )
    os.close(writing)

    assert finished.returncode == 0
    assert ONE_RESULT in keys_of(work / ".llmeval")


def test_a_failed_run_fails_without_output_too(work: Path) -> None:
    codes = [shell(how, *RUN[:-1], "capitals:4").returncode for how in (">&-", ">/dev/full")]
    codes += [shell(">&- 2>&-", *RUN[:-1], "rivers").returncode]

    assert codes == [1, 1, 2]


@pytest.mark.parametrize(("redirections", "code"), [(">&-", 0), (">/dev/full", 1), (">&- 2>&-", 0)])
def test_a_command_that_only_shows_says_that_it_could_not(
    redirections: str, code: int, llmeval: Llmeval
) -> None:
    """Case h6-stdout-closed-or-full: no traceback, one line at most."""
    llmeval(*RUN, "--quiet")

    for command in (["results"], ["samples", "capitals_0shot", "--json"]):
        finished = shell(redirections, *command)
        assert finished.returncode == code, command
        assert finished.stderr.count("\n") <= 1, finished.stderr
        assert "Traceback" not in finished.stderr


def test_a_closed_standard_output_is_no_other_file(work: Path, plugin_folder: PluginFolder) -> None:
    """What a plugin writes to descriptor 1 must not get into the file that was opened next."""
    plugin_folder.install("loud", LOUD)

    finished = shell(">&- <&-", *RUN, "--metric", "loud", "--quiet")

    assert finished.returncode == 0
    assert "capitals_0shot_loud" in keys_of(work / ".llmeval")


@pytest.mark.parametrize("encoding", ["ascii", "latin-1:replace", "cp932"])
def test_an_encoding_that_lacks_a_character_ends_nothing(encoding: str, work: Path) -> None:
    finished = shell("2>&1", *RUN, PYTHONIOENCODING=encoding)

    assert finished.returncode == 0
    assert "Traceback" not in finished.stdout
    assert ONE_RESULT in keys_of(work / ".llmeval")


def test_json_in_a_narrow_encoding_is_still_the_same_json(
    llmeval: Llmeval, plugin_folder: PluginFolder
) -> None:
    llmeval("run", "-m", "parrot/any", "-d", "capitals:5", "--quiet")
    wide = shell("", "samples", "capitals_0shot", "--json", PYTHONIOENCODING="utf-8")

    narrow = shell("", "samples", "capitals_0shot", "--json", PYTHONIOENCODING="ascii")

    assert narrow.stdout.isascii()
    assert [json.loads(line) for line in narrow.stdout.splitlines()] == [
        json.loads(line) for line in wide.stdout.splitlines()
    ]


@pytest.mark.parametrize("columns", ["0", "1", "20", "-3", "abc", "²", "", "99999"])
def test_no_width_hides_a_number(
    columns: str, llmeval: Llmeval, monkeypatch: pytest.MonkeyPatch
) -> None:
    llmeval(*RUN, "--quiet")
    monkeypatch.setenv("COLUMNS", columns)
    monkeypatch.setenv("LINES", "²")

    finished = llmeval("results")
    others = [llmeval(*command) for command in (["plugins"], ["doctor"], ["trackers", "status"])]

    assert (finished.exit_code, finished.stderr) == (0, "")
    assert "0.667 [0.208, 0.939]" in finished.stdout
    assert "fake-capitals" in others[0].stdout
    assert [other.exit_code for other in others] == [0, 0, 0]


LOUD = """
import logging, os, subprocess, sys, warnings
from llmeval_core.hooks import *

def shout(where):
    print("print", where)
    sys.__stdout__ and sys.__stdout__.write("__stdout__ " + where + "\\n")
    os.write(1, b"os.write " + where.encode() + b"\\n")
    subprocess.run([sys.executable, "-S", "-c", "print('child')"], check=True)
    warnings.warn("a warning " + where)

shout("at import")
logging.basicConfig(stream=sys.stdout, force=True)
at_import = sys.stdout

class Loud:
    definition, higher_is_better = "loud@1", True
    def score(self, sample, generation):
        shout("in score")
        print("to what was standard output at import", file=at_import)
        logging.getLogger("loud").error("logged")
        return Score(1.0)
    def aggregate(self, scores):
        shout("in aggregate")
        return mean_aggregate(scores)

def make(settings):
    shout("in the factory")
    sys.stdout.close()
    sys.stdout = None
    sys.stdout = open(1, "w", closefd=False)
    return Loud()

@hookimpl
def llmeval_register_metrics():
    shout("in a hook")
    yield Component("loud", Settings, make, "prints everywhere")

@hookimpl
def llmeval_after_run(summary):
    shout("after the run")

import atexit
atexit.register(lambda: os.write(1, b"at exit\\n"))
atexit.register(lambda: print("printed at exit"))
"""


def test_what_plugins_print_gets_into_no_json(work: Path, plugin_folder: PluginFolder) -> None:
    """Of h6: prints at import, in hooks, factories, metrics; by file descriptor; of children."""
    plugin_folder.install("loud", LOUD)

    finished = shell("", *RUN, "--metric", "loud", "--json")
    listed = shell("", "metrics", "--json")
    planned = shell("", "plan", "-m", "atlas/any", "-d", "capitals", "--json")

    value: Any = json.loads(finished.stdout)  # Any: JSON
    assert value["results"][0]["metrics"][0]["key"] == "capitals_0shot_loud"
    assert "loud" in [item["name"] for item in json.loads(listed.stdout)]
    assert json.loads(planned.stdout)["trackers"] == []
    for told in ("print at import", "os.write in score", "child", "logged", "printed at exit"):
        assert told in finished.stderr


def test_what_plugins_print_gets_into_no_completion(
    work: Path, plugin_folder: PluginFolder
) -> None:
    plugin_folder.install("loud", LOUD)
    words = {"COMP_WORDS": "llmeval run --metric lo", "COMP_CWORD": "3"}

    finished = shell("", _LLMEVAL_COMPLETE="bash_complete", **words)

    assert finished.stdout == "plain,loud\n"


def test_a_plugins_command_prints_to_standard_output(
    work: Path, plugin_folder: PluginFolder
) -> None:
    plugin_folder.install(
        "hello",
        "import click\nfrom llmeval_core.hooks import hookimpl\n"
        "print('loading')\n"
        "@hookimpl\n"
        "def llmeval_register_commands():\n"
        "    yield click.Command('hello', callback=lambda: print('hello'))\n",
    )

    finished = shell("", "hello")
    full = shell(">/dev/full", "hello")

    assert (finished.stdout, finished.stderr) == ("hello\n", "loading\n")
    assert (full.returncode, "Traceback" in full.stderr) == (1, False)


STEERING = "\x1b]0;owned\x07\x1b[31m\x9b2J\u202e[bold]\r"
"""A title, a colour, a C1 command, a change of direction, markup, a carriage return."""


def steers(text: str) -> list[str]:
    return [mark for mark in ("\x1b", "\x07", "\x9b", "\u202e", "\r") if mark in text]


def test_foreign_text_cannot_steer_the_terminal(
    llmeval: Llmeval, work: Path, plugin_folder: PluginFolder
) -> None:
    """Of h1: answers, errors, names, notes and log lines show their control characters."""
    plugin_folder.install("steering", FOREIGN.replace("STEERING", ascii(STEERING)))
    (work / "eval.yaml").write_text(
        "models: [foreign/any]\ntasks: [{dataset: foreign}]\nmetrics: [foreign]\n"
        "trackers: [foreign]\n",
        encoding="utf-8",
    )
    commands = [
        ("run", "eval.yaml"),
        ("run", "eval.yaml", "-m", "foreign/refuses"),
        ("run", "eval.yaml", "-m", "foreign/unknown"),
        ("plan", "eval.yaml"),
        ("results",),
        ("results", "--format", "csv"),
        ("results", "--format", "md"),
        ("results", "--json"),
        ("samples", "foreign_0shot", "-m", "foreign/any"),
        ("samples", "foreign_0shot", "-m", "foreign/any", "--json"),
        ("datasets", "show", "foreign"),
        ("metrics",),
        ("metrics", "foreign"),
        ("trackers", "status"),
        ("plugins",),
        ("doctor",),
        ("sync",),
    ]

    logged = shell("", "run", "eval.yaml")
    finished = {command: llmeval(*command) for command in commands}

    assert steers(logged.stdout + logged.stderr) == []
    assert "WARNING: log \\x1b]0;owned" in logged.stderr
    for command, done in finished.items():
        assert steers(done.stdout + done.stderr) == [], command
    assert "\\x1b]0;owned" in finished[commands[8]].stdout
    answer = json.loads(finished[commands[9]].stdout)["answered"]
    assert answer["texts"] == [STEERING]


FOREIGN = """
import logging, warnings
from llmeval_core.hooks import *
TEXT = STEERING
logging.getLogger("foreign").warning("log %s", TEXT)

class Data:
    name = "foreign"
    defaults = TaskDefaults()
    def samples(self): return [Sample("1" + TEXT, TEXT, (TEXT,), category=TEXT)]
    few_shot_pool = samples
    def size(self): return 1
    def fingerprint(self): return "1"

class Model:
    def __init__(self, name): self.name = name
    async def generate(self, request):
        if self.name == "refuses":
            raise ModelError("bad_request", TEXT, hint=TEXT)
        return Generation((TEXT,))
    async def aclose(self): raise ValueError(TEXT)

class Provider:
    def describe(self, model):
        if model == "unknown":
            raise ConfigError(TEXT, where=TEXT, hint=TEXT)
        return ModelInfo("1", frozenset({"chat"}))
    async def open(self, model): return Model(model)

class Metric:
    definition, higher_is_better = TEXT, True
    def score(self, sample, generation): return Score(1.0, generation.text)
    def aggregate(self, scores): return mean_aggregate(scores)

class Track:
    async def open(self, run): pass
    async def deliver(self, result): return Receipt(TEXT, TEXT)
    async def close(self): raise TrackerError(TEXT)

@hookimpl
def llmeval_register_datasets():
    yield Component("foreign", Settings, lambda settings: Data(), TEXT)
@hookimpl
def llmeval_register_models():
    yield Component("foreign", Settings, lambda settings: Provider(), TEXT)
@hookimpl
def llmeval_register_metrics():
    yield Component("foreign", Settings, lambda settings: Metric(), TEXT, example=TEXT)
@hookimpl
def llmeval_register_trackers():
    yield Component("foreign", Settings, lambda settings: Track(), TEXT)
@hookimpl
def llmeval_register_checks():
    yield Check(TEXT, lambda home: CheckOutcome("failed", TEXT, TEXT))
"""


def test_a_stream_of_samples_ends_when_nobody_reads(llmeval: Llmeval) -> None:
    llmeval(*RUN, "--quiet")
    reading, writing = os.pipe()
    os.close(reading)

    finished = subprocess.run(
        [*PROGRAM, "samples", "capitals_0shot", "--limit", "0"],
        stdout=writing,
        stderr=subprocess.PIPE,
        check=False,
        timeout=60,
    )
    os.close(writing)

    assert (finished.returncode, finished.stderr) == (1, b"")


def test_a_non_blocking_standard_output_gets_everything(llmeval: Llmeval) -> None:
    """A shell job that shares the terminal with Node, say, finds it non-blocking."""
    reading, writing = os.pipe()
    os.set_blocking(writing, False)

    with subprocess.Popen([*PROGRAM, "schema"], stdout=writing) as program:
        os.close(writing)
        with open(reading, "rb") as reader:
            text = reader.read()

    assert program.returncode == 0
    assert json.loads(text)["title"] == "llmeval run file"


def test_every_command_writes_through_the_screen() -> None:
    """`click.echo` alone would write where plugins print, which is not standard output."""
    folder = Path(cli.__file__).parent
    wrong = [
        f"{path.relative_to(folder)}: {line.strip()}"
        for path in folder.rglob("*.py")
        for line in path.read_text(encoding="utf-8").splitlines()
        if re.search(r"click\.s?echo\(|(?<!def )\bprint\(|[^_]Console\(", line)
        and "file=" not in line
        and ".print(" not in line
    ]

    assert wrong == []
