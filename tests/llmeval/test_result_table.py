"""Numbers as rows, records, a frame and a leaderboard."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import pandas
import pytest

import llmeval

KEY = "capitals_0shot_exact"


def test_results_are_the_numbers_that_stand(project: Path) -> None:
    llmeval.run(models=["atlas/any", "parrot/any"], tasks="capitals", progress=False)
    llmeval.run(models="atlas/any", tasks="capitals:1", limit=1, progress=False)

    table = llmeval.results()

    assert [(row.model, row.key, row.n_samples) for row in table] == [
        ("atlas/any", KEY, 1),
        ("parrot/any", KEY, 4),
    ]
    assert table[0].higher_is_better
    assert len(table) == 2
    assert [row.model for row in table[1:]] == ["parrot/any"]


def test_results_can_be_those_of_a_model_or_a_data_set(project: Path) -> None:
    llmeval.run(models=["atlas/any", "parrot/any"], tasks="capitals", progress=False)

    assert [row.model for row in llmeval.results(models="parrot/any")] == ["parrot/any"]
    assert len(llmeval.results(datasets=["capitals"])) == 2
    assert list(llmeval.results(datasets="others")) == []


def test_categories_are_there_if_they_are_wanted(project: Path) -> None:
    llmeval.run(models="atlas/any", tasks="capitals:3", progress=False)

    table = llmeval.results(categories=True)

    assert table.value("atlas/any", f"{KEY}/Europe") == 1.0
    assert table.value("atlas/any", f"{KEY}/America") == 0.0
    assert {row.category for row in table} == {None, "Europe", "Asia", "America"}


def test_a_record_is_flat_and_json(project: Path) -> None:
    report = llmeval.run(models="atlas/any", tasks="capitals", progress=False)

    (record,) = report.results.records()

    assert json.loads(json.dumps(record)) == record
    assert {"value": pytest.approx(2 / 3), "n_scored": 3, "n_failed": 1, "n_samples": 4} == {
        key: record[key] for key in ("value", "n_scored", "n_failed", "n_samples")
    }
    assert (record["low"], record["high"]) == pytest.approx((0.2077, 0.9385), abs=1e-4)
    assert record["n_answered"] == 3


def test_a_frame_has_a_line_for_each_number(project: Path) -> None:
    report = llmeval.run(models=["atlas/any", "parrot/any"], tasks="capitals:2", progress=False)

    frame = report.results.to_pandas()

    assert list(frame["model"]) == ["atlas/any", "parrot/any"]
    assert list(frame["value"]) == [1.0, 0.0]
    assert isinstance(frame["finished_at"].dtype, pandas.DatetimeTZDtype)


def test_a_frame_of_nothing_has_the_columns(project: Path) -> None:
    llmeval.run(models="atlas/any", tasks="capitals:1", progress=False)

    frame = llmeval.results(models="nobody/here").to_pandas()

    assert len(frame) == 0
    assert {"model", "key", "value", "finished_at"} <= set(frame.columns)


def test_without_pandas_the_error_says_what_to_install(
    project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    report = llmeval.run(models="atlas/any", tasks="capitals:1", progress=False)
    monkeypatch.setitem(sys.modules, "pandas", None)

    with pytest.raises(llmeval.LlmevalError) as refused:
        report.results.to_pandas()

    assert str(refused.value) == "a frame needs pandas\n  try:   pip install pandas"


def test_a_report_is_written_as_a_table_with_its_notes(project: Path) -> None:
    report = llmeval.run(models="atlas/any", tasks="capitals:2", progress=False)

    lines = repr(report).splitlines()

    assert lines[:3] == [
        f"| model | {KEY} |",
        "|---|---:|",
        "| atlas/any | 1.000 [0.342, 1.000] n=2 |",
    ]
    assert lines[3].startswith("2 samples, 2 requests, 0 failed, ")


def test_a_folder_without_a_journal_is_an_error(project: Path) -> None:
    with pytest.raises(llmeval.ConfigError, match=r"there is no journal in '\.llmeval'"):
        llmeval.results()
