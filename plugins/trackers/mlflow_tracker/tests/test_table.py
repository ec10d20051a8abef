"""The sample table and its place in the list of tables."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

from llmeval_mlflow_tracker.metric_values import MetricValue
from llmeval_mlflow_tracker.table import logged_tables, sample_table, score_table

from llmeval_core.hooks import (
    Failure,
    Generation,
    Loglikelihood,
    Message,
    Sample,
    SampleResult,
    Score,
    ToolCall,
    Turn,
)
from llmeval_core.testing import make_request, make_task_result


def test_a_table_has_a_row_a_sample_with_answer_scores_and_failure() -> None:
    answered = SampleResult(
        0,
        Sample("a", "1+1?", ("2",)),
        None,
        Generation(("2",)),
        {"em": Score(1.0, parsed="2"), "f1": Score(0.5)},
    )
    weighed = SampleResult(
        1,
        Sample("b", "sky?", choices=("red", "blue"), answer=1, category="c"),
        None,
        Generation(loglikelihoods=(Loglikelihood(-2.0), Loglikelihood(-1.0))),
        {"em": Score(1.0)},
    )
    failure = Failure("timeout", "too slow")
    failed = SampleResult(2, Sample("c", "?"), None, None, {}, failure, outcome="failed")

    table, cut = sample_table([answered, weighed, failed], max_rows=3)

    assert not cut
    assert table == {
        "columns": [
            "id",
            "answer",
            "expected",
            "question",
            "category",
            "em",
            "em: parsed",
            "f1",
            "outcome",
            "failure",
        ],
        "data": [
            ["a", "2", "2", "1+1?", "", 1.0, "2", 0.5, "answered", ""],
            ["b", "-2.000 red\n-1.000 blue", "blue", "sky?", "c", 1.0, None, None, "answered", ""],
            ["c", None, "", "?", "", None, None, None, "failed", "timeout: too slow"],
        ],
    }


def test_reasoning_stands_beside_the_answer_and_not_in_it() -> None:
    asked = Sample("a", "1+1?", ("2",))
    thought = SampleResult(0, asked, None, Generation(("<think>Hm.</think>2",)), {})
    cut_off = SampleResult(
        1, asked, None, Generation(("",), reasonings=("Hm",)), {}, outcome="truncated"
    )
    named = SampleResult(2, asked, None, Generation(("2",)), {"outcome": Score(1.0)})

    shown: Any = sample_table([thought, cut_off], max_rows=2)[0]
    other: Any = sample_table([named], max_rows=2)[0]

    assert shown["columns"][-3:] == ["outcome", "reasoning", "failure"]
    assert [[row[1], *row[-3:]] for row in shown["data"]] == [
        ["2", "answered", "Hm.", ""],
        ["", "truncated", "Hm", ""],
    ]
    assert other["columns"][-3:] == ["outcome", "how it ended", "failure"]


def test_samples_of_several_turns_have_their_conversation_in_a_column() -> None:
    asked = make_request("1+1?")
    call = ToolCall("c1", "add", "[1, 1]")
    again = replace(
        asked,
        fingerprint="1" * 32,
        messages=(
            *asked.messages,
            Message("assistant", "", (call,)),
            Message("tool", "2" * 20_000, tool_call_id="c1"),
        ),
    )
    turns = (
        Turn("model", asked, Generation(("",), tool_calls=(call,))),
        Turn("model", again, Generation(("<think>Hm.</think>2",))),
    )
    sample = Sample("a", "1+1?", ("2",))
    talk = SampleResult(0, sample, again, turns[1].generation, {}, turns=turns)
    plain = SampleResult(1, sample, asked, Generation(("2",)), {"conversation": Score(1.0)})

    shown: Any = sample_table([talk], max_rows=2)[0]
    both: Any = sample_table([talk, plain], max_rows=2)[0]
    neither: Any = sample_table([plain], max_rows=2)[0]

    assert shown["columns"][-4:] == ["outcome", "reasoning", "conversation", "failure"]
    told = shown["data"][0][-2]
    assert told.startswith("[user] 1+1?\n[assistant] add([1, 1])\n[tool] 222")
    assert told.endswith("222\n[assistant] 2")
    assert len(told) == 16_003
    assert both["columns"][-2:] == ["all turns", "failure"]
    assert [row[-2] for row in both["data"]] == [told, ""]
    assert neither["columns"][-2:] == ["outcome", "failure"]


def test_a_table_stops_reading_at_its_limit() -> None:
    def endless() -> Iterator[SampleResult]:
        while True:
            yield SampleResult(0, Sample("a", "q" * 9000), None, None, {})

    table, cut = sample_table(endless(), max_rows=2)

    assert cut
    rows = table["data"]
    assert isinstance(rows, list)
    assert [row[3] for row in rows if isinstance(row, list)] == ["q" * 4000 + "…"] * 2


def test_a_table_is_listed_once_beside_those_of_others() -> None:
    tags = {"mlflow.llmeval.table.a": "a.json", "mlflow.llmeval.result.a": "id"}

    listed = logged_tables(logged_tables('[{"path": "x.json", "type": "table"}]', tags), tags)

    assert [entry["path"] for entry in json.loads(listed)] == ["x.json", "a.json"]
    assert json.loads(logged_tables("not json", tags)) == [{"path": "a.json", "type": "table"}]


def test_a_full_list_of_tables_drops_the_oldest() -> None:
    tags = {
        f"mlflow.llmeval.table.{n:04}": f"task_{n:04}_with_a_long_name.json" for n in range(300)
    }

    listed = logged_tables("", tags)

    assert len(listed) <= 8000
    assert json.loads(listed)[-1]["path"] == "task_0299_with_a_long_name.json"


def test_the_score_table_says_which_scores_are_metrics() -> None:
    result = make_task_result(metrics={"exact_match": 0.75, "f1": 0.5})
    left_out = {"capitals_0shot_f1": MetricValue(0.5, None)}

    table = score_table(result, left_out)

    assert isinstance(table["data"], list)
    rows = [row for row in table["data"] if isinstance(row, list)]
    assert [(row[0], row[2], row[-1]) for row in rows] == [
        ("capitals_0shot_exact_match", 0.75, True),
        ("capitals_0shot_f1", 0.5, False),
    ]
