"""Plugins are loaded each under a guard of its own, and what fails is named."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

import importlib_metadata
import pytest

from llmeval_core.catalog import Catalog, RegisteredComponent
from llmeval_core.errors import PluginError, UnknownNameError
from llmeval_core.hooks import Component, Route, Settings
from llmeval_core.host import Host, Plugin, load_plugins

if TYPE_CHECKING:
    from tests.conftest import PluginFolder

HEAD = "from llmeval_core.hooks import *\nfrom llmeval_core.hooks import hookimpl\n"
METRIC = (
    HEAD + "@hookimpl\ndef llmeval_register_metrics():\n"
    "    yield Component('mine', Settings, lambda settings: None, 'a metric')\n"
)


def fakes(host: Host, folder: PluginFolder) -> list[Plugin]:
    """List what the test installed; whatever else there is, `plugin_folder` disables."""
    ours = {f"fake-{name.replace('_', '-')}" for name in folder.modules}
    return [plugin for plugin in host.plugins if plugin.distribution in ours]


def catalog_of(host: Host) -> Catalog:
    metrics = [
        RegisteredComponent(component, plugin.label)
        for component, plugin in host.components("metrics")
    ]
    broken = [f"{plugin.name} ({plugin.label}): {plugin.reason}" for plugin in host.broken]
    return Catalog({"metrics": metrics}, broken=broken)


def test_a_plugin_is_known_by_its_distribution_and_what_it_offers(
    plugin_folder: PluginFolder,
) -> None:
    plugin_folder.install("mine", METRIC, version="2.5")

    (plugin,) = fakes(load_plugins(), plugin_folder)

    assert (plugin.name, plugin.label, plugin.state, plugin.reason) == (
        "mine",
        "fake-mine 2.5",
        "loaded",
        None,
    )
    assert [component.name for component in plugin.registered["metrics"]] == ["mine"]


@pytest.mark.parametrize(
    ("source", "reason"),
    [
        ("import nowhere_at_all", "ModuleNotFoundError: No module named 'nowhere_at_all'"),
        ("from llmeval_core.hooks import Nothing", "ImportError: cannot import name 'Nothing'"),
        ("def half(", "SyntaxError: '(' was never closed"),
        ("raise SystemExit('I leave')", "SystemExit: I leave"),
        (
            HEAD + "@hookimpl\ndef llmeval_register_metric():\n    return []",
            "there is no hook 'llmeval_register_metric'; did you mean 'llmeval_register_metrics'?",
        ),
        (
            HEAD + "@hookimpl\ndef llmeval_bake_a_cake():\n    return []",
            "there is no hook 'llmeval_bake_a_cake'",
        ),
        (
            HEAD + "@hookimpl\nasync def llmeval_register_metrics():\n    return []",
            "hook 'llmeval_register_metrics' is async; hooks are plain functions",
        ),
        (
            HEAD + "@hookimpl\nasync def llmeval_register_metrics():\n    yield 1",
            "hook 'llmeval_register_metrics' is async; hooks are plain functions",
        ),
        (
            HEAD + "@hookimpl\nasync def llmeval_after_task(result):\n    pass",
            "hook 'llmeval_after_task' is async; hooks are plain functions",
        ),
        (
            HEAD + "@hookimpl\ndef llmeval_after_task(outcome):\n    pass",
            "Argument(s) {'outcome'} are declared in the hookimpl",
        ),
        (
            HEAD + "@hookimpl\ndef llmeval_register_metrics():\n    raise ValueError('late')",
            "ValueError: late",
        ),
        (
            METRIC + "    exit('at the end')",
            "SystemExit: at the end",
        ),
        (
            HEAD + "@hookimpl\ndef llmeval_register_metrics():\n    yield 'a metric'",
            "hook 'llmeval_register_metrics' gave a str, not a Component",
        ),
        (
            HEAD + "@hookimpl\ndef llmeval_register_checks():\n    yield print",
            "hook 'llmeval_register_checks' gave a builtin_function_or_method, not a Check",
        ),
        (
            HEAD + "@hookimpl\ndef llmeval_register_routes():\n    yield '/hello'",
            "hook 'llmeval_register_routes' gave a str, not a Route",
        ),
        (
            HEAD + "@hookimpl\ndef llmeval_register_commands():\n    yield 'hello'",
            "hook 'llmeval_register_commands' gave a str, not a Command",
        ),
    ],
)
def test_a_broken_plugin_says_why_and_stops_no_other(
    source: str, reason: str, plugin_folder: PluginFolder
) -> None:
    plugin_folder.install("bad", source + "\n")
    plugin_folder.install("mine", METRIC)

    host = load_plugins()

    bad, mine = fakes(host, plugin_folder)
    assert (bad.state, bad.registered, mine.state) == ("broken", {}, "loaded")
    assert reason in (bad.reason or "")
    assert host.broken == (bad,)
    assert [component.name for component, _ in host.components("metrics")] == ["mine"]


def test_the_hint_of_a_failed_lookup_names_the_broken_plugin(plugin_folder: PluginFolder) -> None:
    plugin_folder.install("bad", "raise RuntimeError('no luck')\n")

    with pytest.raises(UnknownNameError) as caught:
        catalog_of(load_plugins()).find("metrics", "mine")

    assert str(caught.value) == (
        "unknown metric 'mine'\n"
        "  try:   `llmeval metrics` lists all\n"
        "         or mend the broken plugin bad (fake-bad 1.0): RuntimeError: no luck"
    )


def test_two_plugins_with_one_name_are_both_named_when_it_is_used(
    plugin_folder: PluginFolder,
) -> None:
    plugin_folder.install("mine", METRIC)
    plugin_folder.install("yours", METRIC.replace("a metric", "another"), version="3.1")
    host = load_plugins()

    with pytest.raises(PluginError) as caught:
        catalog_of(host).find("metrics", "mine", where="eval.yaml, metrics[0]")

    assert [plugin.state for plugin in fakes(host, plugin_folder)] == ["loaded", "loaded"]
    assert str(caught.value) == (
        "two plugins offer the metric 'mine': fake-mine 1.0 and fake-yours 3.1\n"
        "  where: eval.yaml, metrics[0]\n"
        "  try:   disable one with `-p no:NAME` or `-p no:DISTRIBUTION:NAME`;"
        " `llmeval plugins` lists both"
    )


def test_the_order_of_plugins_is_that_of_their_names(plugin_folder: PluginFolder) -> None:
    for name in ("zebra", "ant", "mouse"):
        plugin_folder.install(name, METRIC)

    assert [plugin.name for plugin in fakes(load_plugins(), plugin_folder)] == [
        "ant",
        "mouse",
        "zebra",
    ]


@pytest.mark.parametrize("spelling", ["mine,other", " other , mine ", "mine"])
def test_a_plugin_that_the_environment_disables_is_not_imported(
    spelling: str, plugin_folder: PluginFolder
) -> None:
    plugin_folder.install("mine", METRIC)
    installed = importlib_metadata.entry_points(group="llmeval").select(name="mine")

    (plugin,) = load_plugins(
        environ={"LLMEVAL_DISABLE_PLUGINS": spelling}, entry_points=installed
    ).plugins

    assert (plugin.state, plugin.load_s, plugin.registered) == ("disabled", 0.0, {})
    assert "mine" not in sys.modules


def test_a_plugin_that_the_command_disables_is_not_imported(plugin_folder: PluginFolder) -> None:
    plugin_folder.install("mine", METRIC)
    plugin_folder.install("yours", METRIC.replace("'mine'", "'yours'"))

    host = load_plugins(disabled=["mine"])

    assert [plugin.state for plugin in fakes(host, plugin_folder)] == ["disabled", "loaded"]
    assert "mine" not in sys.modules


def test_strictness_makes_a_broken_plugin_an_error(
    plugin_folder: PluginFolder, monkeypatch: pytest.MonkeyPatch
) -> None:
    plugin_folder.install("bad", "raise RuntimeError('no luck')\n")
    monkeypatch.setenv("LLMEVAL_STRICT_PLUGINS", "1")

    with pytest.raises(PluginError) as caught:
        load_plugins()

    assert str(caught.value) == (
        "plugin 'bad' is broken: RuntimeError: no luck\n"
        "  where: fake-bad 1.0\n"
        "  try:   `llmeval plugins` lists all; unset LLMEVAL_STRICT_PLUGINS to go on without it"
    )


def test_strictness_accepts_a_broken_plugin_that_is_disabled(
    plugin_folder: PluginFolder, monkeypatch: pytest.MonkeyPatch
) -> None:
    plugin_folder.install("bad", "raise RuntimeError('no luck')\n")
    monkeypatch.setenv("LLMEVAL_STRICT_PLUGINS", "1")

    assert load_plugins(disabled=["bad"]).broken == ()


def test_the_time_that_a_plugin_takes_is_its_own(plugin_folder: PluginFolder) -> None:
    wait = "import time\nbegun = time.perf_counter()\nwhile time.perf_counter() < begun + 0.05: 1\n"
    plugin_folder.install("quick", METRIC)
    plugin_folder.install("slow", wait + METRIC)
    plugin_folder.install("slow_and_bad", wait + "raise RuntimeError\n")

    seconds = {plugin.name: plugin.load_s for plugin in fakes(load_plugins(), plugin_folder)}

    assert seconds["quick"] > 0
    assert seconds["slow"] >= 0.05
    assert seconds["slow_and_bad"] >= 0.05


def test_a_distribution_that_lost_its_metadata_stops_nothing(plugin_folder: PluginFolder) -> None:
    plugin_folder.install("mine", METRIC)
    (plugin_folder.path / "fake_mine-1.0.dist-info" / "METADATA").unlink()

    (plugin,) = (plugin for plugin in load_plugins().plugins if plugin.name == "mine")

    assert (plugin.label, plugin.state) == ("fake_mine 1.0", "loaded")


def test_one_module_under_two_names_is_loaded_once(plugin_folder: PluginFolder) -> None:
    plugin_folder.install("mine", METRIC)
    points = plugin_folder.path / "fake_mine-1.0.dist-info" / "entry_points.txt"
    points.write_text("[llmeval]\nmine = mine\nmine_again = mine\n", encoding="utf-8")

    host = load_plugins()

    first, second = fakes(host, plugin_folder)
    assert (first.state, second.state) == ("loaded", "broken")
    assert "it is the same module as the plugin 'fake-mine:mine', and is loaded once" in (
        second.reason or ""
    )
    assert len(host.components("metrics")) == 1


def test_each_host_has_plugins_of_its_own(plugin_folder: PluginFolder) -> None:
    plugin_folder.install("mine", METRIC)

    one, other = load_plugins(), load_plugins(disabled=["mine"])

    assert (len(one.components("metrics")), other.components("metrics")) == (1, [])


def test_every_kind_of_offer_comes_with_its_plugin(plugin_folder: PluginFolder) -> None:
    kinds = ("datasets", "models", "metrics", "trackers", "executors")
    hooks = [
        f"@hookimpl\ndef llmeval_register_{kind}():\n"
        "    yield Component('x', Settings, print, 'x')\n"
        for kind in kinds
    ]
    hooks.append("@hookimpl\ndef llmeval_register_routes():\n    yield Route('/x', print, 'x')\n")
    plugin_folder.install("all_kinds", HEAD + "".join(hooks))

    host = load_plugins()

    component, route = Component("x", Settings, print, "x"), Route("/x", print, "x")
    for kind in kinds:
        assert host.components(kind) == [(component, fakes(host, plugin_folder)[0])]
    assert host.registered("routes") == [route]
