"""Journals of older versions: nothing in them is lost."""

from __future__ import annotations

import sqlite3
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path

import pytest

from llmeval_core.api import SampleCriteria, find_samples, sample_page
from llmeval_core.journal import Journal
from llmeval_core.journal.migrations import MIGRATIONS, SCHEMA_VERSION
from llmeval_core.records import Failure, Score
from llmeval_core.testing import FakeMetric, FakeModel, run_in

VERSION_3 = Path(__file__).parent / "journals" / "version_3.sql"
VERSION_5 = Path(__file__).parent / "journals" / "version_5.sql"
"""A journal that version 3 wrote: a run of the fakes, and a task with one failed sample of four."""

_OLDER = {
    1: "DROP TABLE plans; DROP INDEX samples_by_id; DROP INDEX samples_by_category;"
    " DROP INDEX failed_samples; DROP INDEX scores_by_grade; PRAGMA user_version=1",
    2: "DROP INDEX samples_by_id; DROP INDEX samples_by_category; DROP INDEX failed_samples;"
    " DROP INDEX scores_by_grade; PRAGMA user_version=2",
    3: "",
}


@pytest.fixture(params=_OLDER)
def home(tmp_path: Path, request: pytest.FixtureRequest) -> Path:
    with closing(sqlite3.connect(tmp_path / "journal.sqlite")) as connection:
        connection.executescript(VERSION_3.read_text())
        connection.executescript(_OLDER[request.param])
    return tmp_path


def shape(path: Path) -> dict[str, list[tuple[str, str]]]:
    """Name the columns of each table, in order, with their types, and its indexes."""
    with closing(sqlite3.connect(path)) as connection:
        tables = connection.execute("SELECT name, tbl_name FROM sqlite_master ORDER BY name")
        return {
            name: connection.execute(
                "SELECT name, type FROM pragma_table_info(?)", (name,)
            ).fetchall()
            or [("index of", table)]
            for name, table in tables.fetchall()
            if not name.startswith("sqlite_")
        }


def test_the_migrations_chain() -> None:
    assert [step.version for step in MIGRATIONS] == list(range(2, SCHEMA_VERSION + 1))
    assert all(step.what for step in MIGRATIONS)


def test_a_migrated_journal_has_the_shape_of_a_new_one(home: Path, tmp_path: Path) -> None:
    with Journal(home), Journal(tmp_path / "new"):
        pass

    assert shape(tmp_path / "new" / "journal.sqlite") == shape(home / "journal.sqlite")


def test_a_journal_of_version_5_gets_the_shape_of_a_new_one(tmp_path: Path) -> None:
    (tmp_path / "old").mkdir()
    with closing(sqlite3.connect(tmp_path / "old" / "journal.sqlite")) as connection:
        connection.executescript(VERSION_5.read_text())

    with Journal(tmp_path / "old"), Journal(tmp_path / "new"):
        pass

    assert shape(tmp_path / "new" / "journal.sqlite") == shape(tmp_path / "old" / "journal.sqlite")


def test_samples_are_what_they_were(home: Path) -> None:
    with Journal(home) as journal, journal.reader() as reader:
        task = reader.task("f" * 32)
        assert task is not None
        found = list(reader.sample_results(task.id))
        values = [score.value for score in reader.scores(task, "exact_match")]

    assert [sample.scores for sample in found] == [
        {"bleu": Score(None, None, (1.0, 0.0)), "exact_match": Score(1.0)},
        {"bleu": Score(None, None, (1.0, 1.0)), "exact_match": Score(0.0, "parsed")},
        {},
        {"bleu": Score(None, None, (1.0, 3.0)), "exact_match": Score(0.0, "parsed")},
    ]
    assert found[2].failure == Failure("timeout", "too late")
    assert values == [1.0, 0.0, 0.0]


def test_samples_are_found_by_how_they_ended(home: Path) -> None:
    with Journal(home) as journal, journal.reader() as reader:
        wrong = sample_page(reader, find_samples(reader, SampleCriteria("d_0shot", wrong=True)))
        failed = sample_page(reader, find_samples(reader, SampleCriteria("d_0shot", failed=True)))

    assert [sample.index for sample in wrong.samples] == [1, 3]
    assert [sample.index for sample in failed.samples] == [2]


async def test_a_finished_task_is_not_run_again(home: Path) -> None:
    model = FakeModel()

    again = await run_in(home, models={"fake": model})

    assert model.requests == []
    assert again.summary.n_requests == 0
    assert [result.n_samples for result in again.summary.results] == [3]


async def test_its_answers_are_scored_with_another_metric(home: Path) -> None:
    model = FakeModel()

    scored = await run_in(home, models={"fake": model}, metrics={"fake": FakeMetric("other@1")})

    assert model.requests == []
    assert [metric.aggregate.value for metric in scored.summary.results[0].metrics] == [1.0]


def test_an_upgrade_that_is_broken_off_leaves_the_old_journal(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def die(*_: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr("llmeval_core.journal.score_migration._migrate_task", die)
        with pytest.raises(KeyboardInterrupt):
            Journal(home)

    test_samples_are_what_they_were(home)


def test_several_that_open_it_at_once_upgrade_it_once(home: Path) -> None:
    def open_and_close(_: int) -> None:
        with Journal(home):
            pass

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(open_and_close, range(4)))

    test_samples_are_what_they_were(home)


def test_an_older_llmeval_that_is_still_at_work_writes_nothing_wrong(home: Path) -> None:
    with closing(sqlite3.connect(home / "journal.sqlite", isolation_level=None)) as old:
        old.execute("SELECT count(*) FROM scores").fetchone()
        with Journal(home):
            pass

        with pytest.raises(sqlite3.OperationalError, match="no such table"):
            old.execute("INSERT OR REPLACE INTO scores VALUES (2, 'bleu', 9, 1.0, NULL, NULL)")


def test_a_sample_that_lacks_a_score_does_not_lock_the_journal(home: Path) -> None:
    with closing(sqlite3.connect(home / "journal.sqlite")) as old, old:
        old.execute("DELETE FROM scores WHERE task = 2 AND metric = 'bleu' AND idx = 1")

    with Journal(home) as journal, journal.reader() as reader:
        task = reader.task("f" * 32)
        assert task is not None
        assert [score.value for score in reader.scores(task, "bleu")] == [None] * 3


@pytest.mark.parametrize(
    "lacking",
    [
        "ALTER TABLE generations DROP COLUMN not_sent; ALTER TABLE samples DROP COLUMN messages",
        "DROP TABLE rounds",
        "ALTER TABLE samples DROP COLUMN metric_failures; PRAGMA user_version=6",
    ],
)
async def test_a_journal_of_a_version_between_two_releases_gets_what_it_lacks(
    tmp_path: Path, lacking: str
) -> None:
    first = await run_in(tmp_path, models={"fake": FakeModel()})
    with closing(sqlite3.connect(tmp_path / "journal.sqlite")) as connection:
        connection.executescript(lacking)

    with Journal(tmp_path, reading=True) as journal, journal.reader() as reader:
        shown = list(reader.results())
    model = FakeModel()
    again = await run_in(tmp_path, models={"fake": model})

    assert list(first.summary.results) == shown == list(again.summary.results)
    assert model.requests == []
