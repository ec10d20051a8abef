"""How a model was really asked is told once, and stands in the result, also when resumed."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from llmeval_core.engine.progress import SilentProgress
from llmeval_core.records import Generation, Request
from llmeval_core.testing import FakeDataset, FakeMetric, FakeModel, run_in


class Refusing(FakeModel):
    """Is asked without some settings."""

    async def generate(self, request: Request) -> Generation:
        answer = await super().generate(request)
        names = ("stop", "temperature") if len(self.requests) > 1 else ("temperature",)
        return replace(answer, not_sent=names)


class Noting(SilentProgress):
    """Remembers what people should read."""

    def __init__(self) -> None:
        self.notices: list[str] = []

    def message(self, text: str) -> None:
        self.notices.append(text)


async def test_what_was_not_sent_is_told_once_and_stands_in_the_result(tmp_path: Path) -> None:
    """s01-temperature-cannot-be-left-out."""
    datasets = {"d": FakeDataset(10)}
    progress = Noting()

    first = await run_in(
        tmp_path, datasets=datasets, models={"m": Refusing()}, progress=progress, concurrency=1
    )
    model = Refusing()
    again = await run_in(
        tmp_path, datasets=datasets, models={"m": model}, metrics={"other": FakeMetric()}
    )

    assert progress.notices == [
        "m/model: the model refuses temperature; it is not sent",
        "m/model: the model refuses stop; it is not sent",
    ]
    assert model.requests == []
    for outcome in (first, again):
        (result,) = outcome.summary.results
        assert result.settings["not_sent"] == ["stop", "temperature"]


async def test_where_all_was_sent_nothing_is_said(tmp_path: Path) -> None:
    outcome = await run_in(tmp_path)

    assert "not_sent" not in outcome.summary.results[0].settings
