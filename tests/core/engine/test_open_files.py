"""The limit of open files: raised where it may be, else fewer requests at once, and told."""

from __future__ import annotations

import asyncio
import resource
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from llmeval_core.contracts import ModelInfo
from llmeval_core.engine import fit_to_open_files
from llmeval_core.engine.open_files import _share
from llmeval_core.plan import Plan
from llmeval_core.testing import FakeModel, run_in
from llmeval_core.testing.fakes import ALL_MODES
from llmeval_core.testing.running import plan_of

Limits = tuple[int, int]


class ServerModel(FakeModel):
    """A model that is asked over connections."""

    def describe(self, model: str) -> ModelInfo:
        return ModelInfo("fake", ALL_MODES, endpoint="a server")


@pytest.fixture
def limits() -> Iterator[Limits]:
    """Give the process's limits, and put the soft one back."""
    known = resource.getrlimit(resource.RLIMIT_NOFILE)
    yield known
    resource.setrlimit(resource.RLIMIT_NOFILE, known)


@pytest.fixture
def little(monkeypatch: pytest.MonkeyPatch, limits: Limits) -> int:
    """Let the hard limit seem to be 200: it cannot be put back."""
    monkeypatch.setattr(resource, "getrlimit", lambda which: (200, 200))
    return 200


def plan(model: FakeModel | None = None, *, concurrency: int | None = None) -> Plan:
    return plan_of(models={"fake": model or ServerModel()}, concurrency=concurrency)


def test_the_soft_limit_is_raised_to_what_is_needed(limits: Limits) -> None:
    resource.setrlimit(resource.RLIMIT_NOFILE, (128, limits[1]))

    planned, note = fit_to_open_files(plan(concurrency=300))

    assert note is None
    assert planned.concurrency == 300
    assert resource.getrlimit(resource.RLIMIT_NOFILE)[0] > 300


def test_where_it_cannot_be_raised_fewer_go_at_once_and_that_is_told(little: int) -> None:
    planned, note = fit_to_open_files(plan(concurrency=300))
    found, _ = fit_to_open_files(plan())

    assert planned.concurrency is not None
    assert 16 <= planned.concurrency < little
    assert planned.concurrency >= found.max_concurrency - 2 > 8
    assert note is not None
    assert note.startswith(f"at most {planned.concurrency} requests at once to a server, not 300: ")
    assert "ulimit -n" in note


def test_what_fits_is_left_alone(little: int) -> None:
    original = plan(concurrency=8)

    assert fit_to_open_files(original) == (original, None)


def test_models_in_this_process_need_no_connections(little: int) -> None:
    original = plan(FakeModel(), concurrency=300)

    assert fit_to_open_files(original) == (original, None)


async def test_a_run_keeps_to_it(
    little: int, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    model = ServerModel(latency_s=0.001)

    await asyncio.wait_for(run_in(tmp_path, models={"fake": model}, concurrency=300), 60)

    assert "requests at once to a server, not 300" in caplog.text
    assert model.most_under_way < 200


@given(st.lists(st.integers(1, 500), min_size=1, max_size=8), st.integers(0, 1000))
def test_shares_fit_into_the_room_and_are_as_large_as_they_can_be(
    wanted: list[int], room: int
) -> None:
    most = _share(wanted, room)

    assert most >= 1
    if room >= len(wanted) and sum(wanted) > room:
        assert sum(min(one, most) for one in wanted) <= room
        assert sum(min(one, most + 1) for one in wanted) > room


def test_a_plan_without_servers_is_untouched(little: int) -> None:
    original = replace(plan(), evaluations=())

    assert fit_to_open_files(original) == (original, None)
