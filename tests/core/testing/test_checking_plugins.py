"""`check_plugin` finds every broken promise."""

from __future__ import annotations

import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from llmeval_core.testing import check_plugin

if TYPE_CHECKING:
    from tests.conftest import PluginFolder

HEAD = """
import click
from pydantic import Field
from llmeval_core.hooks import *
from llmeval_core.hooks import hookimpl
class Named(Settings):
    path: str = Field(default="x", description="Where.")
class Silent(Settings):
    path: str = "x"
class Taken(Settings):
    name: str = Field(default="x", description="Lost.")
class Needs(Settings):
    key: str = Field(description="No default.")
class Good:
    definition, higher_is_better = "good@1", True
    def score(self, sample, generation): ...
    def aggregate(self, scores): ...
def fails(settings):
    raise ZeroDivisionError("no luck")
def lacks(settings):
    raise ConfigError("there is no key")
"""

BROKEN = "the plugin is broken: hook 'llmeval_register_metrics'"


def offering(kind: str, *offers: str) -> str:
    yields = "".join(f"    yield {offer}\n" for offer in offers)
    return f"{HEAD}@hookimpl\ndef llmeval_register_{kind}():\n{yields}"


def test_a_good_plugin_passes_by_module_name_module_and_entry_point(
    plugin_folder: PluginFolder,
) -> None:
    plugin_folder.install("capitals", entry_point="cities")

    by_name, by_point = check_plugin("capitals"), check_plugin("cities")
    by_module = check_plugin(sys.modules["capitals"])

    assert by_point.label == "fake-capitals 1.0"
    assert sorted(by_name.registered) == sorted(by_module.registered) == sorted(by_point.registered)
    assert 0 < by_name.load_s < 5


def test_the_time_told_is_that_of_a_first_import(plugin_folder: PluginFolder) -> None:
    wait = "import time\nbegun = time.perf_counter()\nwhile time.perf_counter() < begun + 0.05: 1\n"
    plugin_folder.install("slow", wait)
    check_plugin("slow")

    again = check_plugin("slow")

    assert again.load_s >= 0.05


@pytest.mark.parametrize(
    "offer",
    [
        "Component('x', Needs, fails, 'needs a key, so it cannot be made here')",
        "Component('x', Named, lacks, 'says what it lacks')",
        "Component('x', Named, lambda settings: Good(), 'good', argument='path', example='- x: 1')",
    ],
)
def test_a_good_entry_passes(offer: str, plugin_folder: PluginFolder) -> None:
    plugin_folder.install("good", offering("metrics", offer))

    check_plugin("good")


@pytest.mark.parametrize(
    ("offer", "message"),
    [
        (
            "Component('a b', Named, Good, 'x')",
            BROKEN + " gave a Component 'a b' whose name cannot be 'a b'",
        ),
        ("Component('x', Named, Good, ' ')", "metrics 'x': the summary is empty"),
        ("Component('x', Named, Good, 'a\\nb')", "metrics 'x': the summary is more than a line"),
        (
            "Component('x', dict, Good, 'x')",
            BROKEN + " gave a Component 'x' whose config cannot be <class 'dict'>",
        ),
        (
            "Component('x', Named(), Good, 'x')",
            BROKEN + " gave a Component 'x' whose config cannot be Named(path='x')",
        ),
        ("Component('x', Silent, Good, 'x')", "metrics 'x': setting 'path' has no description"),
        (
            "Component('x', Taken, Good, 'x')",
            "metrics 'x': setting 'name' can never be set, the run file takes it for its own key",
        ),
        (
            "Component('x', Named, Good, 'x', argument='file')",
            BROKEN + " gave a Component 'x' whose argument cannot be 'file'",
        ),
        (
            "Component('x', Named, Good, 'x', example='a: [')",
            "metrics 'x': the example is no YAML: while parsing a flow node",
        ),
        (
            "Component('x', Named, fails, 'x')",
            "metrics 'x': the factory raised ZeroDivisionError: no luck",
        ),
        (
            "Component('x', Named, lambda settings: 'text', 'x')",
            "metrics 'x': it has no aggregate, definition, higher_is_better, score; see `Metric`",
        ),
    ],
)
def test_an_entry_that_is_not_well_formed_is_named(
    offer: str, message: str, plugin_folder: PluginFolder
) -> None:
    plugin_folder.install("odd", offering("metrics", offer))

    with pytest.raises(AssertionError) as caught:
        check_plugin("odd")

    assert str(caught.value).splitlines()[0] == message


@pytest.mark.parametrize(
    ("source", "message"),
    [
        ("import nowhere", "the plugin is broken: ModuleNotFoundError: No module named 'nowhere'"),
        (
            HEAD + "def llmeval_register_metrics():\n    return []",
            BROKEN + " lacks @hookimpl, and is never called",
        ),
        (
            offering("metrics", *["Component('x', Named, lambda settings: Good(), 'x')"] * 2),
            BROKEN + " registers 'x' twice",
        ),
        (
            offering("commands", "click.Command(None)"),
            "the plugin is broken: hook 'llmeval_register_commands' gave a Command '?' whose name"
            " cannot be None",
        ),
        (
            offering("routes", "Route('x', print, 'x')"),
            "route 'x': the prefix begins with no slash",
        ),
        (
            offering("routes", "Route('/x/', print, 'x')"),
            "route '/x/': the prefix ends with a slash",
        ),
        (offering("routes", "Route('/x', print, '')"), "route '/x': the summary is empty"),
        (offering("checks", "Check('', print)"), "the name of a check is empty"),
    ],
)
def test_a_broken_promise_is_named(source: str, message: str, plugin_folder: PluginFolder) -> None:
    plugin_folder.install("odd", source + "\n")

    with pytest.raises(AssertionError) as caught:
        check_plugin("odd")

    assert str(caught.value).splitlines()[0] == message


def test_a_plugin_that_works_only_after_another_module_is_found_out(
    plugin_folder: PluginFolder,
) -> None:
    plugin_folder.install("needy", "import sys\nassert 'pytest' in sys.modules, 'no pytest'\n")

    with pytest.raises(AssertionError, match="it does not import by itself") as caught:
        check_plugin("needy")

    assert "no pytest" in str(caught.value)


def test_the_kit_needs_no_pytest() -> None:
    code = "import sys, llmeval_core.testing\nassert 'pytest' not in sys.modules"

    subprocess.run([sys.executable, "-c", code], check=True)


TOOL = """
from pathlib import Path
class Reads(Settings):
    table: Path | None = Field(default=None, description="A table.")
class Table:
    spec = ToolSpec("table")
    def __init__(self, settings): ...
    async def call(self, arguments): ...
class Honest(Table):
    def fingerprint(self): return "1"
"""


def test_a_tool_that_reads_a_file_tells_its_content(plugin_folder: PluginFolder) -> None:
    for number, tool in enumerate(("Table", "Honest")):
        offered = offering("tools", f"Component('table', Reads, {tool}, 'looks up')")
        plugin_folder.install(f"tool{number}", offered.replace("@hookimpl", f"{TOOL}@hookimpl"))

    check_plugin("tool1")
    with pytest.raises(AssertionError) as caught:
        check_plugin("tool0")

    assert str(caught.value) == (
        "tools 'table': it reads a file (setting 'table') and has no fingerprint(): when the file"
        " changes, answers that were made with the old one would stay; see `DataTool`"
    )
