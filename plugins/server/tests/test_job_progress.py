"""How far a job is, as its files say it while tasks of a model go side by side."""

from __future__ import annotations

from pathlib import Path

import pytest
from llmeval_server.jobs.job_files import JobFiles
from llmeval_server.jobs.progress_writer import ProgressWriter

from llmeval_core.api import Plan, Session, make_plan, read_run_text
from llmeval_core.hooks import Generation, GenerationSettings, Request, Sample, SampleResult

RUN = """
models: [echo/a, echo/b]
tasks: [{dataset: "jsonl:sums.jsonl", shots: [0, 1, 2], metrics: [exact_match]}]
"""


@pytest.fixture
def plan(session: Session, data: Path, monkeypatch: pytest.MonkeyPatch) -> Plan:
    monkeypatch.chdir(data)
    config, origin = read_run_text(RUN, Path("run file"))
    return make_plan(config, session.catalog, origin=origin, observer=session.host)


def sample(*, from_journal: bool) -> SampleResult:
    asked = Request("s", "completion", (), "1+1=", (), GenerationSettings(), "f")
    answer = Generation(("2",), n_prompt_tokens=4, n_completion_tokens=1)
    whole = Sample("s", "1+1=", ("2",))
    return SampleResult(0, whole, asked, answer, {}, from_journal=from_journal)


async def test_tasks_that_have_begun_wait_for_their_model_until_it_answers(
    plan: Plan, tmp_path: Path
) -> None:
    files = JobFiles(tmp_path, "a1")
    progress = ProgressWriter(plan, files, lambda text: None, attempt=1, started_at=0.0)

    def states() -> list[str]:
        progress.close()
        content = files.read_progress()
        assert content is not None
        return [task.state for task in content.progress.tasks]

    first = progress.task_started("echo/a", "sums_0shot", 3)
    assert states()[:3] == ["running", "waiting", "waiting"]
    progress.model_opening("echo/a")
    progress.task_started("echo/a", "sums_1shot", 3)
    first.sample_finished(sample(from_journal=True), n_under_way=0)
    assert states() == ["opening", "opening", "waiting", "waiting", "waiting", "waiting"]
    first.sample_finished(sample(from_journal=False), n_under_way=1)
    assert states()[:3] == ["running", "running", "waiting"]
