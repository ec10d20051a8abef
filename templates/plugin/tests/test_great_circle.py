"""The tool keeps every promise that the conformance checks know."""

from __future__ import annotations

from llmeval_example_plugin.great_circle import GreatCircle, GreatCircleSettings

from llmeval_core.hooks import Json
from llmeval_core.testing import check_plugin, check_tool

PARIS_TO_TOKYO: dict[str, Json] = {
    "from_latitude": 48.8566, "from_longitude": 2.3522,
    "to_latitude": 35.6762, "to_longitude": 139.6503,
}  # fmt: skip


def test_the_plugin_is_well_formed() -> None:
    plugin = check_plugin("llmeval_example_plugin.great_circle")

    assert set(plugin.registered) == {"tools"}


async def test_it_tells_how_far_it_is() -> None:
    in_km = await check_tool(GreatCircle(GreatCircleSettings()), [PARIS_TO_TOKYO])
    in_miles = await check_tool(GreatCircle(GreatCircleSettings(unit="miles")), [PARIS_TO_TOKYO])

    assert (in_km, in_miles) == (["9712 km"], ["6035 miles"])


async def test_a_place_that_is_none_is_told_to_the_model() -> None:
    nowhere = {**PARIS_TO_TOKYO, "to_latitude": 120}

    told = await check_tool(GreatCircle(GreatCircleSettings()), [nowhere])

    assert told == ["error: `to_latitude` must be a number from -90 to 90"]
