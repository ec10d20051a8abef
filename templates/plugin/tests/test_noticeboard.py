"""The page answers with what the server knows."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from llmeval_example_plugin.noticeboard import Noticeboard

from llmeval_core.hooks import RouteContext, TrackerStatus
from llmeval_core.testing import check_plugin


def test_the_plugin_is_well_formed() -> None:
    plugin = check_plugin("llmeval_example_plugin.noticeboard")

    assert set(plugin.registered) == {"routes"}


async def test_it_shows_what_trackers_lack() -> None:
    status = TrackerStatus("csv", 3, 1, 0, None, None, None)
    context = RouteContext(
        Path(), lambda: [status], deliver=str, deliver_again=str, log_lines=lambda word: []
    )
    sent: list[Mapping[str, Any]] = []  # Any: ASGI messages

    async def send(message: Mapping[str, Any]) -> None:
        sent.append(message)

    await Noticeboard(context)({"type": "http"}, None, send)

    assert sent[0]["status"] == 200
    assert json.loads(sent[1]["body"]) == {"csv": {"has": 3, "lacks": 1}}
