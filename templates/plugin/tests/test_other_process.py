"""The executor answers every request, and hands on what a model refuses."""

from __future__ import annotations

import importlib
from pathlib import Path

import pytest
from llmeval_example_plugin.other_process import OtherProcessExecutor, OtherProcessSettings

from llmeval_core.testing import FakeModel, check_plugin, run_in

REFUSING = """
from llmeval_core.hooks import ModelError

def refuse_one(asked):
    if asked.endswith("1"):
        raise ModelError("bad_request", "not this one")
    return asked
"""


def test_the_plugin_is_well_formed() -> None:
    plugin = check_plugin("llmeval_example_plugin.other_process")

    assert set(plugin.registered) == {"executors"}


async def test_every_request_is_answered_or_failed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "refusing.py").write_text(REFUSING, encoding="utf-8")
    monkeypatch.syspath_prepend(str(tmp_path))  # the other processes look there too
    refuse_one = importlib.import_module("refusing").refuse_one

    outcome = await run_in(
        tmp_path / "home",
        models={"fake": FakeModel(refuse_one)},
        executors={"other_process": OtherProcessExecutor(OtherProcessSettings(processes=2))},
        executor="other_process",
    )

    assert (outcome.summary.n_samples, outcome.summary.n_failed) == (3, 1)
