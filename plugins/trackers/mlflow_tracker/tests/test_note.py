"""The description that people read on the run's page."""

from __future__ import annotations

from llmeval_mlflow_tracker.note import write_note
from llmeval_mlflow_tracker.overwrite import Point
from llmeval_mlflow_tracker.scores import Score
from llmeval_mlflow_tracker.tags import write_table_only


def test_the_note_is_a_table_of_the_scores() -> None:
    points = {
        "aio_0shot_accuracy": Point(0.5, 1_700_000_000_000, 0),
        "aio_0shot_accuracy_stderr": Point(0.01, 1_700_000_000_000, 0),
        "aio_0shot_accuracy/history": Point(0.25, 1_700_000_000_000, 0),
    }
    tags = {
        "llmeval.version": "0.1.0",
        "llmeval.definition.aio_0shot_accuracy": "exact_match@nfkc",
    }

    note = write_note(points, tags)

    assert note == (
        "<!-- llmeval: begin -->\n"
        "Last result 2023-11-14 22:13 UTC, llmeval 0.1.0.\n\n"
        "| score | value | ± | definition |\n|:--|--:|--:|:--|\n"
        "| aio_0shot_accuracy | 0.5000 | 0.0100 | exact_match@nfkc |\n"
        "| aio_0shot_accuracy/history | 0.2500 |  | exact_match@nfkc |\n"
        "<!-- llmeval: end -->"
    )


def test_what_a_person_wrote_stays() -> None:
    points = {"a": Point(0.5, 0, 0)}
    first = write_note(points, {"mlflow.note.content": "Mine.\n"})

    second = write_note(points, {"mlflow.note.content": f"{first}\nToo."})

    assert second.startswith("Mine.\n<!--")
    assert second.endswith("-->\nToo.")
    assert second.count("| a |") == 1


def test_a_stale_standard_error_is_not_shown_and_a_lost_number_is_said() -> None:
    points = {"a": Point(0.5, 2, 1), "a_stderr": Point(0.1, 1, 0), "b": Point(0.7, 1, 0)}
    tags = {"llmeval.name.a": "A|B", "llmeval.not_a_number.b": "none"}

    note = write_note(points, tags)

    assert "| A\\|B | 0.5000 |  |" in note
    assert "| b | not a number (before: 0.7000) |  |" in note


def test_what_is_in_tables_only_is_in_the_note_too() -> None:
    points = {"a": Point(0.5, 0, 0)}
    tags = {
        "llmeval.table_only.t": write_table_only({"a": Score(None, 0.01), "b": Score(0.25, 0.02)}),
        "llmeval.table_only.u": "not ours",
    }

    note = write_note(points, tags)

    assert "| a | 0.5000 | 0.0100 |" in note
    assert "| b | 0.2500 | 0.0200 |" in note


def test_a_long_table_ends_with_a_count_and_fits() -> None:
    points = {f"metric_{i:04}": Point(0.5, 0, 0) for i in range(1000)}

    note = write_note(points, {})

    assert len(note) <= 8000
    assert "more are among the metrics." in note
