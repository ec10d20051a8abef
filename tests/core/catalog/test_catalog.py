"""The catalogue: from names to components, and which names a plan refuses."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from pydantic import Field

from llmeval_core.catalog import Catalog, RegisteredComponent, make_trackers
from llmeval_core.config import (
    ComponentConfig,
    Origin,
    Settings,
    TrackerConfig,
)
from llmeval_core.errors import ConfigError, LlmevalError, PluginError, UnknownNameError
from llmeval_core.hooks import Component
from llmeval_core.plan import PlannedTask
from llmeval_core.testing import FakeDataset, ListTracker
from llmeval_core.testing.running import catalog_of, plan_of


class ShelfSettings(Settings):
    """What a shelf is made of."""

    path: str = Field(default="here")
    token: str | None = None


class Shelf(FakeDataset):
    """Remembers its settings."""

    def __init__(self, settings: ShelfSettings) -> None:
        super().__init__()
        self.settings = settings


def offer(
    name: str = "shelf",
    factory: Callable[[Any], Any] = Shelf,  # Any: as in Component
    *,
    by: str = "shop 1.0",
    argument: str | None = "path",
) -> RegisteredComponent:
    return RegisteredComponent(
        Component(name, ShelfSettings, factory, "a shelf", argument=argument), by
    )


def build(catalog: Catalog, use: str | dict[str, Any]) -> tuple[Any, RegisteredComponent]:
    component = ComponentConfig.model_validate(use)
    return catalog.build("datasets", component, origin=Origin(), path=("tasks", 0, "dataset"))


def planned(**config: Any) -> PlannedTask:
    return plan_of(**config).evaluations[0].tasks[0]


def test_a_component_is_built_with_its_settings_and_its_argument() -> None:
    catalog = Catalog({"datasets": [offer()]}, environ={"TOKEN": "s3cret!"})

    plain, _ = build(catalog, "shelf")
    by_argument, found = build(catalog, "shelf:there")
    by_settings, _ = build(catalog, {"use": "shelf", "path": "elsewhere", "token": "${TOKEN}"})

    assert plain.settings == ShelfSettings()
    assert by_argument.settings == ShelfSettings(path="there")
    assert by_settings.settings == ShelfSettings(path="elsewhere", token="s3cret!")
    assert found.distribution == "shop 1.0"


def test_a_setting_beside_the_argument_wins_over_it() -> None:
    built, _ = build(Catalog({"datasets": [offer()]}), {"use": "shelf:there", "path": "here"})

    assert built.settings.path == "here"


def test_a_name_that_nobody_offers_is_told_with_the_nearest_and_with_broken_plugins() -> None:
    catalog = Catalog({"datasets": [offer()]}, broken=["shop2 (shop2 0.1): ImportError: x"])

    with pytest.raises(UnknownNameError) as caught:
        build(catalog, "shelv")

    assert str(caught.value) == (
        "unknown data set 'shelv'\n"
        "  where: tasks[0].dataset\n"
        "  try:   did you mean 'shelf'? `llmeval datasets` lists all\n"
        "         or mend the broken plugin shop2 (shop2 0.1): ImportError: x"
    )


def test_a_name_that_two_offer_is_an_error_only_when_it_is_used() -> None:
    catalog = Catalog({"datasets": [offer(), offer(by="mall 2.0"), offer("other")]})

    built, _ = build(catalog, "other")

    assert isinstance(built, Shelf)
    assert catalog.names("datasets") == ["other", "shelf"]
    assert len(catalog.components("datasets")) == 3
    with pytest.raises(PluginError, match=r"two plugins offer .*: shop 1\.0 and mall 2\.0"):
        build(catalog, "shelf")


def test_one_name_may_be_of_two_kinds() -> None:
    catalog = Catalog({"datasets": [offer()], "trackers": [offer(by="mall 2.0")]})

    assert catalog.find("datasets", "shelf").distribution == "shop 1.0"
    assert catalog.find("trackers", "shelf").distribution == "mall 2.0"


def test_an_argument_that_an_entry_does_not_take_is_refused() -> None:
    with pytest.raises(ConfigError, match="data set 'shelf' takes no argument after the colon"):
        build(Catalog({"datasets": [offer(argument=None)]}), "shelf:there")


def test_a_factory_that_fails_is_a_bug_in_its_plugin_and_tells_no_secret() -> None:
    def factory(settings: ShelfSettings) -> Shelf:
        raise RuntimeError(f"cannot log in with {settings.token}")

    catalog = Catalog({"datasets": [offer(factory=factory)]}, environ={"TOKEN": "s3cret!"})

    with pytest.raises(PluginError) as caught:
        build(catalog, {"use": "shelf", "token": "${TOKEN}"})

    assert str(caught.value) == (
        "'shelf' cannot be made: RuntimeError: cannot log in with ***\n"
        "  where: tasks[0].dataset (shop 1.0)\n"
        "  try:   this is a bug in the plugin; tell its author"
    )


def test_a_data_set_and_a_metric_are_called_as_the_run_file_wants() -> None:
    task = planned(
        tasks=[
            {
                "dataset": {"use": "fake", "name": "mine"},
                "shots": 2,
                "metrics": ["fake", {"use": "fake", "name": "second"}],
            }
        ]
    )

    assert task.key == "mine_2shot"
    assert [metric.name for metric in task.metrics] == ["fake", "second"]


@pytest.mark.parametrize(
    ("config", "what"),
    [
        (
            {"tasks": [{"dataset": "fake"}, {"dataset": "fake"}]},
            "two tasks are called 'fake_0shot'",
        ),
        ({"tasks": [{"dataset": "fake", "shots": [1, 1]}]}, "two tasks are called 'fake_1shot'"),
        (
            {"tasks": [{"dataset": "fake", "metrics": ["fake", "fake"]}]},
            "two metrics of one task are called 'fake'",
        ),
        ({"tasks": [{"dataset": "fake", "metrics": []}]}, "no metric for data set 'fake'"),
        ({"executor": "farm"}, "unknown executor 'farm'"),
    ],
)
def test_what_would_be_ambiguous_or_is_missing_is_refused(
    config: dict[str, Any], what: str
) -> None:
    with pytest.raises(LlmevalError) as caught:
        plan_of(**config)

    assert caught.value.what == what


def test_two_trackers_of_one_name_are_refused_and_another_name_helps() -> None:
    catalog = catalog_of({"trackers": {"list": ListTracker()}})
    plain, named = (
        TrackerConfig.model_validate(value) for value in ("list", {"use": "list", "name": "mine"})
    )

    trackers = make_trackers((plain, named), catalog, origin=Origin())

    assert [tracker.name for tracker in trackers] == ["list", "mine"]
    with pytest.raises(ConfigError, match="two trackers are called 'list'"):
        make_trackers((plain, plain), catalog, origin=Origin())


@pytest.mark.parametrize("name", ["my set", "a/b", "a:b", ""])
def test_a_data_set_whose_own_name_would_spoil_the_keys_is_refused(name: str) -> None:
    with pytest.raises(ConfigError) as caught:
        planned(datasets={"fake": FakeDataset(name=name)})

    assert caught.value.what == (f"'{name}' cannot be a data set's name: no space, slash or colon")
