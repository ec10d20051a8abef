"""The cache of results: what is new is read, and a journal that was replaced is read again."""

from __future__ import annotations

from pathlib import Path

from llmeval_server.results_cache import LeaderboardFilter, ResultsCache

from llmeval_core.api import DeliveryRepository, Journal
from llmeval_core.testing import make_task_result


def write(home: Path, *ids: str) -> None:
    with Journal(home) as journal:
        for name in ids:
            result = make_task_result(id=name, model=f"m/{name}")
            journal.deliveries(DeliveryRepository.save, result, ())


def test_there_is_nothing_before_the_first_run(tmp_path: Path) -> None:
    snapshot = ResultsCache(tmp_path / "new").snapshot()

    assert (snapshot.version, snapshot.results) == (0, ())


def test_new_results_are_added_to_those_that_are_known(tmp_path: Path) -> None:
    cache = ResultsCache(tmp_path)
    write(tmp_path, "a", "b")
    first = cache.snapshot()
    unchanged = cache.snapshot()
    write(tmp_path, "c")
    second = cache.snapshot()

    assert unchanged is first
    assert [result.id for result in second.results] == ["a", "b", "c"]
    assert second.results[:2] == first.results
    assert second.results[0] is first.results[0]  # it was not read again


def test_a_journal_that_was_replaced_is_read_from_its_beginning(tmp_path: Path) -> None:
    cache = ResultsCache(tmp_path)
    write(tmp_path, "a", "b")
    cache.snapshot()
    for file in tmp_path.glob("journal.sqlite*"):
        file.unlink()

    write(tmp_path, "x")
    shorter = cache.snapshot()
    for file in tmp_path.glob("journal.sqlite*"):
        file.unlink()
    write(tmp_path, "p", "q", "r")
    longer = cache.snapshot()

    assert [result.id for result in shorter.results] == ["x"]
    assert [result.id for result in longer.results] == ["p", "q", "r"]


def test_a_leaderboard_is_made_once_for_the_same_results(tmp_path: Path) -> None:
    cache = ResultsCache(tmp_path)
    write(tmp_path, "a", "b")
    everything, one = LeaderboardFilter(), LeaderboardFilter(models=("m/a",))

    first = cache.leaderboard(everything)

    assert cache.leaderboard(everything) is first
    assert cache.leaderboard(one).board.models == ("m/a",)
    write(tmp_path, "c")
    assert cache.leaderboard(everything).board.models == ("m/a", "m/b", "m/c")
