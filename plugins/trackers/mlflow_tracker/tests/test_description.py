"""The description that people read on the run's page."""

from __future__ import annotations

from llmeval_mlflow_tracker.description import write_description
from llmeval_mlflow_tracker.metric_points import MetricPoint
from llmeval_mlflow_tracker.metric_values import MetricValue, MetricValues
from llmeval_mlflow_tracker.names import legal_key
from llmeval_mlflow_tracker.tags import name_tag, result_tags, write_table_only

from llmeval_core.testing import make_task_result


def test_the_note_is_a_table_of_the_scores() -> None:
    points = {
        "aio_0shot_accuracy": MetricPoint(0.5, 1_700_000_000_000, 0),
        "aio_0shot_accuracy_stderr": MetricPoint(0.01, 1_700_000_000_000, 0),
        "aio_0shot_accuracy/history": MetricPoint(0.25, 1_700_000_000_000, 0),
    }
    tags = {
        "llmeval.version": "0.1.0",
        "mlflow.llmeval.definition.aio_0shot_accuracy": "exact_match@nfkc",
    }

    note = write_description(points, tags)

    assert note == (
        "<!-- llmeval: begin -->\n"
        "Last result 2023-11-14 22:13 UTC, llmeval 0.1.0.\n\n"
        "| score | value&emsp; | ±&emsp;&emsp;&emsp; | definition |\n|:--|:--|:--|:--|\n"
        "| aio_0shot_accuracy&emsp; | 0.5000 | 0.0100 | exact_match@nfkc |\n"
        "| aio_0shot_accuracy/history&emsp; | 0.2500 |  | exact_match@nfkc |\n"
        "<!-- llmeval: end -->"
    )


def test_what_a_person_wrote_stays() -> None:
    points = {"a": MetricPoint(0.5, 0, 0)}
    first = write_description(points, {"mlflow.note.content": "Mine.\n"})

    second = write_description(points, {"mlflow.note.content": f"{first}\nToo."})

    assert second.startswith("Mine.\n<!--")
    assert second.endswith("-->\nToo.")
    assert second.count("| a&emsp; |") == 1


def test_a_stale_standard_error_is_not_shown_and_a_lost_number_is_said() -> None:
    points = {
        "a": MetricPoint(0.5, 2, 1),
        "a_stderr": MetricPoint(0.1, 1, 0),
        "b": MetricPoint(0.7, 1, 0),
    }
    tags = {"mlflow.llmeval.name.a": "A|B", "llmeval.not_a_number.b": "none"}

    note = write_description(points, tags)

    assert "| A\\|B&emsp; | 0.5000 |  |" in note
    assert "| b&emsp; | not a number |  |" in note


def test_a_renamed_metric_has_its_standard_error_beside_it() -> None:
    key, error = legal_key("pass@1"), legal_key("pass@1_stderr")
    points = {key: MetricPoint(0.5, 1, 0), error: MetricPoint(0.1, 1, 0)}
    tags = {name_tag(key): "pass@1", name_tag(error): "pass@1_stderr"}

    note = write_description(points, tags)

    assert "| pass@1&emsp; | 0.5000 | 0.1000 |" in note
    assert note.count("pass@1") == 1


def test_a_name_is_never_taken_for_markdown() -> None:
    key = legal_key("正解率_*全体*_<b>")

    note = write_description({key: MetricPoint(0.5, 1, 0)}, {name_tag(key): "正解率_*全体*_<b>"})

    assert r"| 正解率\_\*全体\*\_\<b>&emsp; |" in note


def test_what_is_in_tables_only_is_in_the_note_too() -> None:
    points = {"a": MetricPoint(0.5, 0, 0)}
    tags = {
        "mlflow.llmeval.table_only.t": write_table_only(
            {"a": MetricValue(None, 0.01), "b": MetricValue(0.25, 0.02)}
        ),
        "mlflow.llmeval.table_only.u": "not ours",
    }

    note = write_description(points, tags)

    assert "| a&emsp; | 0.5000 | 0.0100 |" in note
    assert "| b&emsp; | 0.2500 | 0.0200 |" in note


def test_tasks_with_samples_that_failed_are_named() -> None:
    tags = {
        "mlflow.llmeval.n_samples.aio_0shot": "100",
        "mlflow.llmeval.n_failed.aio_0shot": "7",
        "mlflow.llmeval.n_samples.mgsm_0shot": "250",
        "mlflow.llmeval.n_failed.mgsm_0shot": "0",
    }

    note = write_description({"a": MetricPoint(0.5, 0, 0)}, tags)

    assert "llmeval ?. Samples that failed: aio_0shot 7 of 100.\n" in note


def test_a_long_table_ends_with_a_count_and_fits() -> None:
    points = {f"metric_{i:04}": MetricPoint(0.5, 0, 0) for i in range(1000)}

    failed = {f"mlflow.llmeval.n_failed.task_{i:04}": "1" for i in range(1000)}

    note = write_description(points, failed)

    assert len(note) <= 8000
    assert "more are among the metrics." in note


def test_the_note_says_which_tasks_have_answers_that_were_cut_off() -> None:
    result = make_task_result().model_copy(
        update={
            "task": "aio_0shot",
            "n_samples": 100,
            "outcomes": {"answered": 96, "truncated": 3, "empty": 1},
        }
    )
    tags, _ = result_tags(result, MetricValues({}, {}, {}, {}))
    fine, _ = result_tags(
        result.model_copy(update={"outcomes": {"answered": 100}}), MetricValues({}, {}, {}, {})
    )

    note = write_description({"a": MetricPoint(0.5, 0, 0)}, tags)

    assert " Not simply answered: aio_0shot 3 truncated, 1 empty of 100." in note
    assert "Not simply" not in write_description({"a": MetricPoint(0.5, 0, 0)}, tags | fine)
