"""The executor answers every request, and hands on what a model refuses."""

from __future__ import annotations

from pathlib import Path

from llmeval_example_plugin.other_process import OtherProcessExecutor, OtherProcessSettings

from llmeval_core.hooks import ModelError
from llmeval_core.testing import FakeModel, check_plugin, run_in


def refuse_one(asked: str) -> str:
    """Answer all questions but one; a function of a module, because it is pickled."""
    if asked.endswith("1"):
        raise ModelError("bad_request", "not this one")
    return asked


def test_the_plugin_is_well_formed() -> None:
    plugin = check_plugin("llmeval_example_plugin.other_process")

    assert set(plugin.offers) == {"executors"}


async def test_every_request_is_answered_or_failed(tmp_path: Path) -> None:
    outcome = await run_in(
        tmp_path,
        models={"fake": FakeModel()},
        executors={"other_process": OtherProcessExecutor(OtherProcessSettings(processes=2))},
        executor="other_process",
    )

    assert (outcome.summary.n_requests, outcome.summary.n_failed) == (3, 0)
