"""Whatever order things happen in, the journal has what was flushed, once, and in order."""

from __future__ import annotations

import asyncio
import shutil
import tempfile
from contextlib import closing
from dataclasses import replace
from pathlib import Path

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from llmeval_core.journal import Journal, JournalQueries
from llmeval_core.records import Failure, Generation, Request, SampleResult, Score
from llmeval_core.testing import make_request, make_sample

INDICES = st.integers(0, 30)


def request_for(index: int) -> Request:
    return replace(make_request(), fingerprint=f"{index % 7:032x}")  # some samples share one


class Recording(RuleBasedStateMachine):
    """Records, flushes, closes, reopens and dies, in any order."""

    def __init__(self) -> None:
        super().__init__()
        self.loop = asyncio.new_event_loop()
        self.home = Path(tempfile.mkdtemp())
        self.journal = Journal(self.home)
        self.begin()
        self.flushed: dict[int, float | None] = {}
        self.recorded: dict[int, float | None] = {}

    def begin(self) -> None:
        self.task = self.journal.begin_task("f" * 32, model="m/x", key="d_0shot", metrics=["m"])

    @rule(index=INDICES, value=st.sampled_from([0.0, 0.5, 1.0]))
    def record(self, index: int, value: float) -> None:
        self._put(index, value)

    @rule(index=INDICES)
    def fail(self, index: int) -> None:
        self._put(index, None)

    def _put(self, index: int, value: float | None) -> None:
        result = SampleResult(
            index=index,
            sample=make_sample(id=str(index)),
            request=request_for(index),
            generation=Generation((f"answer {index % 7}",)) if value is not None else None,
            scores={"m": Score(value)} if value is not None else {},
            failure=None if value is not None else Failure("timeout", "too late"),
        )
        self.loop.run_until_complete(self.journal.record(self.task, result))
        self.recorded[index] = value

    @rule()
    def flush(self) -> None:
        self.loop.run_until_complete(self.journal.flush())
        self.flushed |= self.recorded
        self.recorded = {}

    @rule()
    def close_and_open(self) -> None:
        self.journal.close()
        self.flushed |= self.recorded
        self.recorded = {}
        self.journal = Journal(self.home)
        self.begin()

    @rule()
    def another_process_reads_a_copy_of_the_files_as_after_a_crash(self) -> None:
        copy = Path(tempfile.mkdtemp())
        shutil.copytree(self.home, copy, dirs_exist_ok=True)
        with closing(Journal(copy)) as journal:
            self._has_what_was_flushed(journal)
        shutil.rmtree(copy)

    @invariant()
    def what_was_flushed_is_there(self) -> None:
        self._has_what_was_flushed(self.journal)

    def _has_what_was_flushed(self, journal: Journal) -> None:
        with journal.reader() as reader:
            found = list(reader.sample_results(self.task.id))
        assert [result.index for result in found] == sorted({result.index for result in found})
        values = {
            result.index: result.scores["m"].value if result.scores else None for result in found
        }
        done = journal.read(JournalQueries.finished_indices, self.task.id, 0, 30)
        for index, value in self.flushed.items():
            if index in self.recorded:  # a newer one, which may be on disk by now
                assert values[index] in (value, self.recorded[index])
            else:
                assert values[index] == value
                assert (index in done) == (value is not None)

    def teardown(self) -> None:
        self.journal.close()
        self.loop.close()
        shutil.rmtree(self.home)


Recording.TestCase.settings = settings(max_examples=25, stateful_step_count=30, deadline=None)
TestRecording = Recording.TestCase
