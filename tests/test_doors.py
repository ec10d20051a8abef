"""Everything comes in by the same door, and the core holds nothing heavy."""

from __future__ import annotations

import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

from llmeval_core.catalog import KINDS
from llmeval_core.host import load_plugins

ROOT = Path(__file__).parent.parent
HEAVY = {"aiohttp", "datasets", "fastapi", "mlflow", "numpy", "pandas", "pyarrow", "ray",
         "sacrebleu", "scipy", "torch", "transformers", "xllamacpp"}  # fmt: skip
BUILT_IN = {
    declared["name"]: declared["entry-points"]["llmeval"]
    for path in sorted(ROOT.glob("plugins/**/pyproject.toml"))
    for declared in [tomllib.loads(path.read_text(encoding="utf-8"))["project"]]
}
EVERY_CORE_MODULE = """
import importlib, pkgutil, llmeval_core
for found in pkgutil.walk_packages(llmeval_core.__path__, "llmeval_core."):
    importlib.import_module(found.name)
"""
EVERY_PLUGIN = """
import llmeval_core.cli.run_action, llmeval_core.host
llmeval_core.host.load_plugins()
"""


def modules_after(code: str) -> set[str]:
    """Name the modules that a fresh interpreter has imported after some code."""
    done = subprocess.run(
        [sys.executable, "-c", f"{code}\nimport sys\nprint(*sys.modules)"],
        capture_output=True,
        text=True,
        check=True,
    )
    return set(done.stdout.splitlines()[-1].split())


def of_plugins(modules: set[str]) -> set[str]:
    packages = {
        value.partition(".")[0] for points in BUILT_IN.values() for value in points.values()
    }
    return {name for name in modules if name.partition(".")[0] in packages}


def test_without_entry_points_nothing_is_on_offer() -> None:
    host = load_plugins(entry_points=[])

    assert [host.components(kind) for kind in KINDS] == [[]] * len(KINDS)
    assert [host.registered(kind) for kind in ("commands", "routes", "checks")] == [[], [], []]


@pytest.mark.parametrize("distribution", BUILT_IN)
def test_each_built_in_comes_through_an_entry_point(distribution: str) -> None:
    plugins = {plugin.name: plugin for plugin in load_plugins(environ={}).plugins}

    for name in BUILT_IN[distribution]:
        assert plugins[name].distribution == distribution
        assert plugins[name].state == "loaded", plugins[name].reason
        assert any(plugins[name].registered.values())


def test_the_core_has_no_entry_point_of_its_own() -> None:
    declared = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]

    assert "entry-points" not in declared
    assert "llmeval-core" not in {plugin.distribution for plugin in load_plugins().plugins}


@pytest.mark.parametrize("option", ["--help", "--version"])
def test_help_and_version_import_no_plugin_and_no_pydantic(option: str) -> None:
    modules = modules_after(
        "from llmeval_core.cli import main\n"
        f"try:\n    main(['{option}'])\nexcept SystemExit:\n    pass"
    )

    assert not modules & {"pydantic", "pluggy", "llmeval_core.host", "yaml", "rich"}
    assert not of_plugins(modules)


def test_the_whole_core_imports_no_plugin_and_nothing_heavy() -> None:
    modules = modules_after(EVERY_CORE_MODULE)

    assert not modules & (HEAVY | {"pytest"})
    assert not of_plugins(modules)
    assert "llmeval_core.testing.checking_trackers" in modules


def test_loading_all_plugins_imports_nothing_heavy() -> None:
    modules = modules_after(EVERY_PLUGIN)

    assert not modules & HEAVY
    assert of_plugins(modules)
