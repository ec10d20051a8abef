"""Models and trackers say before data is read whether they could be used."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NoReturn

import pytest

from llmeval_core.catalog import Preflight, make_plan
from llmeval_core.config import Origin, RunConfig, validate
from llmeval_core.errors import ConfigError, LlmevalError, ModelError, PluginError, TrackerError
from llmeval_core.hooks import Readiness
from llmeval_core.host import load_plugins
from llmeval_core.plan import Plan
from llmeval_core.records import Sample
from llmeval_core.testing import FakeDataset, FakeMetric, FakeModel, ListTracker
from llmeval_core.testing.running import catalog_of

Answer = Callable[[], Readiness]


class UnreadDataset(FakeDataset):
    """Data that nobody may read."""

    def samples(self) -> Iterator[Sample]:
        raise AssertionError("the data is read")

    def fingerprint(self) -> str:
        raise AssertionError("the data is read")


class CheckedModel(FakeModel):
    """A model whose readiness is given."""

    def __init__(self, answer: Answer) -> None:
        super().__init__()
        self._ready = answer

    def check(self, model: str) -> Readiness:
        return self._ready()


class CheckedTracker(ListTracker):
    """A tracker whose readiness is given."""

    def __init__(self, answer: Answer) -> None:
        super().__init__()
        self._ready = answer

    def check(self, home: Path) -> Readiness:
        return self._ready()


def raising(error: Exception) -> Answer:
    def answer() -> NoReturn:
        raise error

    return answer


def ready() -> Readiness:
    return Readiness()


NO_KEY = ModelError("auth", "THE_KEY is not set", hint="export THE_KEY=...")
NO_LOGIN = TrackerError("nobody is logged in", hint="log in")
NO_ADDRESS = ConfigError("'x' is no address", hint="write http://x")


def plan(
    model: Answer = ready,
    tracker: Answer = ready,
    *,
    preflight: Preflight | None,
    required: bool = True,
    data: FakeDataset | None = None,
) -> Plan:
    catalog = catalog_of(
        {
            "models": {"fake": CheckedModel(model)},
            "datasets": {"fake": data or FakeDataset()},
            "metrics": {"fake": FakeMetric()},
            "trackers": {"list": CheckedTracker(tracker)},
        }
    )
    settings = {
        "models": ["fake/m"],
        "tasks": [{"dataset": "fake"}],
        "trackers": [{"use": "list", "required": required}],
    }
    origin = Origin()
    config = validate(RunConfig, settings, origin=origin)
    observer = load_plugins(entry_points=[])
    return make_plan(config, catalog, origin=origin, observer=observer, preflight=preflight)


RUN = Preflight(Path(), must_be_ready=True)
ONLY_PLAN = Preflight(Path(), must_be_ready=False)


@pytest.mark.parametrize(
    ("model", "tracker", "told"),
    [
        (raising(NO_KEY), ready, "THE_KEY is not set\n  where: models[0]\n  try:   export THE_KEY"),
        (ready, raising(NO_LOGIN), "nobody is logged in\n  where: trackers[0]\n  try:   log in"),
        (ready, raising(NO_ADDRESS), "'x' is no address\n  where: trackers[0]\n  try:   write"),
    ],
    ids=["model", "tracker", "address"],
)
def test_a_run_ends_before_data_is_read(model: Answer, tracker: Answer, told: str) -> None:
    with pytest.raises(LlmevalError) as caught:
        plan(model, tracker, preflight=RUN, data=UnreadDataset())

    assert str(caught.value).startswith(told)


def test_a_plan_notes_what_is_lacking_and_goes_on() -> None:
    planned = plan(raising(NO_KEY), raising(NO_LOGIN), preflight=ONLY_PLAN)

    assert planned.notes == (
        "tracker 'list': nobody is logged in (try: log in)",
        "fake/m: THE_KEY is not set (try: export THE_KEY=...)",
    )
    assert [tracker.name for tracker in planned.trackers] == ["list"]


def test_a_setting_that_can_never_work_ends_a_plan_too() -> None:
    with pytest.raises(ConfigError):
        plan(tracker=raising(NO_ADDRESS), preflight=ONLY_PLAN)


def test_a_tracker_that_is_not_required_does_not_end_a_run() -> None:
    planned = plan(tracker=raising(NO_LOGIN), preflight=RUN, required=False)

    assert planned.notes == ("tracker 'list': nobody is logged in (try: log in)",)


def test_a_model_with_answers_in_the_journal_may_need_no_key() -> None:
    preflight = Preflight(Path(), must_be_ready=True, has_answers=lambda model: model == "fake/m")

    assert plan(raising(NO_KEY), preflight=preflight).notes == (
        "fake/m: THE_KEY is not set (try: export THE_KEY=...)",
    )


def test_a_disabled_tracker_is_left_out_and_that_is_told() -> None:
    planned = plan(
        tracker=lambda: Readiness(("told to do nothing",), is_disabled=True), preflight=RUN
    )

    assert planned.trackers == ()
    assert planned.notes == ("tracker 'list': told to do nothing",)


def test_nobody_is_asked_without_a_preflight() -> None:
    assert plan(raising(NO_KEY), raising(NO_LOGIN), preflight=None).notes == ()


@pytest.mark.parametrize("answer", [raising(RuntimeError("oops")), lambda: None], ids=["e", "none"])
def test_a_check_that_breaks_is_a_bug_of_the_plugin(answer: Answer) -> None:
    with pytest.raises(PluginError) as model:
        plan(answer, preflight=RUN)
    with pytest.raises(PluginError) as tracker:
        plan(tracker=answer, preflight=RUN)

    assert model.value.what.startswith("model provider of 'fake/m' cannot check it: ")
    assert tracker.value.what.startswith("tracker 'list' cannot check itself: ")
