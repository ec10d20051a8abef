"""`llmeval plugin check`: says in plain words what is wrong with a plugin."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from tests.conftest import Llmeval, PluginFolder

METRIC = """
from llmeval_core.hooks import Component, Score, Settings, hookimpl, mean_aggregate

class {name}:
    definition, higher_is_better = "{name}@1", True
    aggregate = staticmethod(mean_aggregate)
    {extra}

    def score(self, sample, generation):
        {score}

@hookimpl
def llmeval_register_metrics():
    yield Component("{name}", Settings, lambda settings: {name}(), "{summary}")
"""
TRACKER = """
from llmeval_core.hooks import Component, Readiness, Settings, TrackerError, hookimpl

class Ledger:
    def check(self, home):
        {check}

    async def open(self, run): pass
    async def deliver(self, result): raise RuntimeError("nothing may be delivered")
    async def close(self): pass

@hookimpl
def llmeval_register_trackers():
    yield Component("ledger", Settings, lambda settings: Ledger(), "a ledger")
"""


TRUSTING = """
from llmeval_core.hooks import Component, Settings, ToolSpec, hookimpl

class Trusting:
    spec = ToolSpec("shout", "writes in capitals", {"type": "object", "properties": {"text": {}}})

    async def call(self, arguments):
        return str(arguments["text"]).upper()

@hookimpl
def llmeval_register_tools():
    yield Component("trusting", Settings, lambda settings: Trusting(), "trusts models")
"""
UNSCORED = """
from llmeval_core.hooks import (
    Component, Item, Message, MetricInfo, Question, Sample, Settings, hookimpl, mean_aggregate
)

class Numbers:
    name, n_shots, modes, roles = "numbers", 0, frozenset({"chat"}), {}
    metrics = {"right": MetricInfo("right@1", True, mean_aggregate)}

    def fingerprint(self): return "1"
    def size(self): return 1

    def items(self):
        yield Item(Sample("a", "1 + 1?"), (Question((Message("user", "1 + 1?"),)),))

    async def answer(self, item, ask):
        return [await ask(question) for question in item.questions]

    def score(self, item, answers, ask):
        raise ValueError("that is no number")

@hookimpl
def llmeval_register_tasks():
    yield Component("numbers", Settings, lambda settings: Numbers(), "adds")
"""


def metric(score: str, *, name: str = "Odd", extra: str = "", summary: str = "a metric") -> str:
    return METRIC.format(name=name, score=score, extra=extra, summary=summary)


def test_a_sound_plugin_is_ok(llmeval: Llmeval, plugin_folder: PluginFolder) -> None:
    plugin_folder.install("sound", metric("return Score(float(len(generation.text)))"))

    finished = llmeval("plugin", "check", "sound")

    lines = [line.split() for line in finished.stdout.splitlines()]
    assert finished.exit_code == 0
    assert lines[0] == ["sound", "(fake-sound", "1.0)"]
    assert lines[1][:4] == ["ok", "plugin", "imported", "in"]
    assert lines[2] == ["ok", "metric", "'Odd'"]


@pytest.mark.parametrize(
    ("source", "told"),
    [
        (metric("return Score(float('nan'))"), "the score of sample 'words' is not finite"),
        (metric("return 1.0"), "score() gave a float, not a Score"),
        (metric("return generation.texts[7]"), "IndexError: tuple index out of range"),
        (metric("return Score(1.0)", summary=""), "the summary is empty"),
        (
            metric(
                "self.n += 1; return Score(float(self.n))",
                extra="n = 0",
            ),
            "sample 'words' gets another score the second time",
        ),
        (
            TRACKER.format(check="(home / 'x').touch(); return Readiness()"),
            "check() writes files",
        ),
        (
            TRACKER.format(check="import socket; socket.create_connection(('127.0.0.1', 9))"),
            "check() uses the network",
        ),
    ],
)
def test_what_is_wrong_is_told(
    llmeval: Llmeval, plugin_folder: PluginFolder, source: str, told: str
) -> None:
    plugin_folder.install("odd", source)

    finished = llmeval("plugin", "check", "odd", "--json")

    ((_, verdict),) = (one["checks"] for one in json.loads(finished.stdout))
    assert (verdict["state"], verdict["detail"]) == ("wrong", told)
    assert finished.exit_code == 1


def test_a_tool_that_trusts_models_is_wrong(llmeval: Llmeval, plugin_folder: PluginFolder) -> None:
    plugin_folder.install("odd", TRUSTING)

    finished = llmeval("plugin", "check", "odd", "--json")

    ((_, tool),) = (one["checks"] for one in json.loads(finished.stdout))
    assert tool == {
        "subject": "tool 'trusting'",
        "state": "wrong",
        "detail": "with {} it raises KeyError: 'text';"
        " a ValueError would tell the model what is wrong",
    }


def test_a_task_that_cannot_score_made_up_answers_is_untried(
    llmeval: Llmeval, plugin_folder: PluginFolder
) -> None:
    plugin_folder.install("odd", UNSCORED)

    finished = llmeval("plugin", "check", "odd", "--json")

    ((_, task),) = (one["checks"] for one in json.loads(finished.stdout))
    assert task == {
        "subject": "task 'numbers'",
        "state": "untried",
        "detail": "it cannot score the answers that are made up for this: that is no number",
    }


def test_a_metric_may_vary_if_that_is_said(llmeval: Llmeval, plugin_folder: PluginFolder) -> None:
    plugin_folder.install("odd", metric("self.n += 1; return Score(float(self.n))", extra="n = 0"))

    assert llmeval("plugin", "check", "odd").exit_code == 1
    assert llmeval("plugin", "check", "odd", "--varies").exit_code == 0


def test_a_forgotten_mark_is_named(llmeval: Llmeval, plugin_folder: PluginFolder) -> None:
    plugin_folder.install("forgetful", metric("return Score(1.0)").replace("@hookimpl\n", ""))

    finished = llmeval("plugin", "check", "forgetful", "--json")

    ((verdict,),) = (one["checks"] for one in json.loads(finished.stdout))
    assert verdict["detail"] == (
        "it is broken: hook 'llmeval_register_metrics' lacks @hookimpl, and is never called"
    )
    assert finished.exit_code == 1


def test_a_module_without_a_hook_is_named(llmeval: Llmeval, plugin_folder: PluginFolder) -> None:
    plugin_folder.install("empty", "print('hello')")

    finished = llmeval("plugin", "check", "empty", "--json")

    ((verdict,),) = (one["checks"] for one in json.loads(finished.stdout))
    assert (
        verdict["detail"] == "it has no hook: `empty`, to which its entry point leads, defines none"
    )
    assert finished.exit_code == 1


@pytest.mark.parametrize("body", ["return None", "yield from ()"])
def test_a_hook_that_registers_nothing_is_named(
    llmeval: Llmeval, plugin_folder: PluginFolder, body: str
) -> None:
    source = f"from llmeval_core.hooks import hookimpl\n@hookimpl\ndef {{}}():\n    {body}\n"
    plugin_folder.install("forgetful", source.format("llmeval_register_metrics"))

    finished = llmeval("plugin", "check", "forgetful", "--json")

    (checked,) = json.loads(finished.stdout)
    assert checked["checks"][1] == {
        "subject": "hook 'llmeval_register_metrics'",
        "state": "wrong",
        "detail": "it registers nothing: is there a `yield` for each thing?",
    }
    assert finished.exit_code == 1


@pytest.mark.parametrize(
    ("model", "message"),
    [
        (
            "atlass/any",
            "error: what is checked has no model provider 'atlass'\n"
            "  where: -m atlass/any\n  try:   did you mean 'atlas'?\n",
        ),
        (
            "atlas",
            "error: 'atlas' is not of the form provider/model\n"
            "  where: -m atlas\n  try:   write PROVIDER/MODEL, with one of: atlas, parrot\n",
        ),
    ],
)
def test_a_model_that_is_of_no_plugin_that_is_checked_is_refused(
    llmeval: Llmeval, plugin_folder: PluginFolder, model: str, message: str
) -> None:
    plugin_folder.install("capitals")

    finished = llmeval("plugin", "check", "capitals", "-m", model)

    assert (finished.exit_code, finished.stderr) == (2, message)


def test_a_plugin_that_only_observes_is_ok(llmeval: Llmeval, plugin_folder: PluginFolder) -> None:
    source = (
        "from llmeval_core.hooks import hookimpl\n@hookimpl\ndef llmeval_after_run(summary): pass\n"
    )
    plugin_folder.install("observer", source)

    assert llmeval("plugin", "check", "observer").exit_code == 0


def test_a_name_that_another_plugin_has_is_wrong(
    llmeval: Llmeval, plugin_folder: PluginFolder
) -> None:
    plugin_folder.install("one", metric("return Score(1.0)"))
    plugin_folder.install("two", metric("return Score(1.0)"))

    finished = llmeval("plugin", "check", "fake-one")

    assert finished.exit_code == 1
    assert "two (fake-two 1.0) offers that name too" in finished.stdout


def test_a_command_that_is_never_reached_is_wrong(
    llmeval: Llmeval, plugin_folder: PluginFolder
) -> None:
    source = (
        "import click\nfrom llmeval_core.hooks import hookimpl\n"
        "@hookimpl\ndef llmeval_register_commands():\n"
        "    yield click.Command('run', help='Run.')\n"
        "    yield click.Command('bare')\n"
    )
    plugin_folder.install("shadowed", source)

    finished = llmeval("plugin", "check", "--json")

    (checked,) = (one for one in json.loads(finished.stdout) if one["name"] == "shadowed")
    told = {verdict["detail"] for verdict in checked["checks"] if verdict["state"] == "wrong"}
    assert {
        "it has no help: write a docstring, or `help=`",
        "llmeval has a command of that name, and always runs its own",
        "command 'run' is not in the entry-point group 'llmeval.commands' of fake-shadowed:"
        " `llmeval --help` lacks it",
    } == told


SOLVER = """
from llmeval_core.hooks import Component, Settings, hookimpl

class Choosy:
    definition, modes, roles = "choosy@1", frozenset({"chat"}), {"model": 1}

    async def solve(self, start, ask):
        raise ValueError("its metadata has no script")

@hookimpl
def llmeval_register_solvers():
    yield Component("choosy", Settings, lambda settings: Choosy(), "needs a script")
"""


def test_a_solver_that_solves_none_of_our_samples_is_untried(
    llmeval: Llmeval, plugin_folder: PluginFolder
) -> None:
    plugin_folder.install("choosing", SOLVER)

    finished = llmeval("plugin", "check", "choosing", "--json")

    ((_, verdict),) = (one["checks"] for one in json.loads(finished.stdout))
    assert verdict == {
        "subject": "solver 'choosy'",
        "state": "untried",
        "detail": "it can solve none of the samples that are made up for this",
    }


def test_what_costs_or_writes_is_not_tried_unasked(
    llmeval: Llmeval, plugin_folder: PluginFolder
) -> None:
    plugin_folder.install("capitals")
    plugin_folder.install("ledger", TRACKER.format(check="return Readiness()"))

    finished = llmeval("plugin", "check", "--json")

    verdicts = [one for plugin in json.loads(finished.stdout) for one in plugin["checks"]]
    states = {one["subject"]: one["state"] for one in verdicts}
    assert states["model 'atlas'"] == "untried"
    assert states["tracker 'ledger'"] == "untried"
    assert states["dataset 'capitals'"] == "ok"


def test_a_model_that_is_named_is_asked(llmeval: Llmeval, plugin_folder: PluginFolder) -> None:
    plugin_folder.install("capitals")

    finished = llmeval("plugin", "check", "capitals", "-m", "atlas/any", "--json")

    (checked,) = json.loads(finished.stdout)
    states = {one["subject"]: one["state"] for one in checked["checks"]}
    assert states["model 'atlas'"] == "ok"


def test_a_name_that_nobody_has_is_told(llmeval: Llmeval, plugin_folder: PluginFolder) -> None:
    plugin_folder.install("capitals")

    finished = llmeval("plugin", "check", "capitels")

    assert finished.exit_code == 2
    assert finished.stderr == (
        "error: no plugin is called 'capitels'\n"
        "  try:   did you mean 'capitals'? `llmeval plugins` lists what is installed\n"
    )
