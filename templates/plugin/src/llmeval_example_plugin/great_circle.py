"""A tool that models may call: how far is it from one place to another?"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from typing import Any, Literal

from pydantic import Field

from llmeval_core.hooks import Component, Json, Settings, Tool, ToolSpec, hookimpl

_RADIUS = {"km": 6371.0, "miles": 3958.8}
_LARGEST = {"from_latitude": 90, "from_longitude": 180, "to_latitude": 90, "to_longitude": 180}


class GreatCircleSettings(Settings):
    """What a user can set."""

    unit: Literal["km", "miles"] = Field(default="km", description="The unit of the result.")


class GreatCircle:
    """The shortest way over a sphere, by the haversine formula."""

    def __init__(self, settings: GreatCircleSettings) -> None:
        self._unit = settings.unit
        self.spec = ToolSpec(
            "great_circle",
            f"Tells how far two places are from each other, in {settings.unit}.",
            {
                "type": "object",
                "properties": {
                    name: {"type": "number", "description": f"degrees, -{most} to {most}"}
                    for name, most in _LARGEST.items()
                },
                "required": list(_LARGEST),
            },
        )

    async def call(self, arguments: Mapping[str, Json]) -> str:
        """Compute it.

        Raises:
            ValueError: an argument is missing or wrong; the model is told the message.
        """
        south, west, north, east = (
            math.radians(_degrees(arguments, name, most)) for name, most in _LARGEST.items()
        )
        half = (
            math.sin((north - south) / 2) ** 2
            + math.cos(south) * math.cos(north) * math.sin((east - west) / 2) ** 2
        )
        way = 2 * _RADIUS[self._unit] * math.asin(min(1.0, math.sqrt(half)))
        return f"{way:.0f} {self._unit}"


def _degrees(arguments: Mapping[str, Json], name: str, most: int) -> float:
    """Read one argument; a model wrote it, so that it can be anything."""
    value = arguments.get(name)
    if isinstance(value, bool) or not isinstance(value, int | float) or not -most <= value <= most:
        raise ValueError(f"`{name}` must be a number from -{most} to {most}")
    return float(value)


@hookimpl
def llmeval_register_tools() -> Iterable[Component[Any, Tool]]:
    """Offer the tool; Any: its settings."""
    yield Component(
        "great_circle",
        GreatCircleSettings,
        GreatCircle,
        "how far two places are from each other",
        argument="unit",
        example="tasks:\n  - dataset: jsonl:my.jsonl\n"
        "    solver: {use: tool_loop, tools: [great_circle]}",
    )
