"""The check looks at the disk, also of a folder that is not there yet."""

from __future__ import annotations

from pathlib import Path

import pytest
from llmeval_example_plugin import free_space

from llmeval_core.testing import check_plugin


def test_the_plugin_is_well_formed() -> None:
    plugin = check_plugin("llmeval_example_plugin.free_space")

    assert set(plugin.registered) == {"checks"}


def test_a_disk_with_room_is_well(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(free_space, "LEAST_GB", 0.0)

    outcome = free_space.free_space(tmp_path / "not" / "there")

    assert (outcome.state, outcome.hint) == ("ok", None)


def test_a_full_disk_is_a_warning(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(free_space, "LEAST_GB", 1e9)

    outcome = free_space.free_space(tmp_path)

    assert (outcome.state, outcome.hint) == ("warning", "delete what you do not need")
