"""The data set keeps every promise that the conformance checks know."""

from __future__ import annotations

import pytest
from llmeval_example_plugin.weekdays import Weekdays, WeekdaysSettings

from llmeval_core.testing import check_dataset, check_plugin


def test_the_plugin_is_well_formed() -> None:
    plugin = check_plugin("llmeval_example_plugin.weekdays")

    assert set(plugin.registered) == {"datasets"}


@pytest.mark.parametrize("language", ["en", "de"])
def test_the_data_set_keeps_its_promises(language: str) -> None:
    dataset = Weekdays(WeekdaysSettings.model_validate({"language": language}))

    check_dataset(dataset)

    assert dataset.size() == 7
