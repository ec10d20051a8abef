"""The metric keeps every promise that the conformance checks know."""

from __future__ import annotations

from llmeval_example_plugin.brevity import Brevity, BrevitySettings

from llmeval_core.testing import check_metric, check_plugin, make_generation, make_sample


def test_the_plugin_is_well_formed() -> None:
    plugin = check_plugin("llmeval_example_plugin.brevity")

    assert set(plugin.registered) == {"metrics"}


async def test_short_answers_are_better() -> None:
    metric = Brevity(BrevitySettings(enough=2))
    cases = [(make_sample(), make_generation(text)) for text in ("one two", "one two three four")]

    scores = await check_metric(metric, cases)

    assert [score.value for score in scores] == [1.0, 0.5]
