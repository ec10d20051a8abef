"""Samples as records, a frame and a table."""

from __future__ import annotations

from pathlib import Path

import pytest

import llmeval


@pytest.fixture
def asked(project: Path) -> Path:
    """Give a folder in which `atlas` answered: two right, one wrong, one failed."""
    llmeval.run(models="atlas/any", tasks="capitals", progress=False)
    return project


def test_samples_come_in_the_order_of_the_data_set(asked: Path) -> None:
    found = llmeval.samples("capitals_0shot")

    assert [sample.sample.id for sample in found] == ["c0", "c1", "c2", "c3"]
    assert (found.model, found.task) == ("atlas/any", "capitals_0shot")
    assert found[0].generation is not None
    assert found[0].generation.text == "Paris"


def test_samples_can_be_the_wrong_ones_the_failed_ones_or_those_that_ended_so(
    asked: Path,
) -> None:
    def ids(found: llmeval.SampleTable) -> list[str]:
        return [sample.sample.id for sample in found]

    assert ids(llmeval.samples("capitals_0shot_exact", wrong=True)) == ["c2"]
    assert ids(llmeval.samples("capitals_0shot", failed=True)) == ["c3"]
    assert ids(llmeval.samples("capitals_0shot", outcomes="answered", limit=2)) == ["c0", "c1"]
    assert ids(llmeval.samples("capitals_0shot", outcomes=["failed"])) == ["c3"]
    assert ids(llmeval.samples("capitals_0shot_exact/Asia")) == ["c1"]


def test_records_are_those_of_the_command_line(asked: Path) -> None:
    (record,) = llmeval.samples("capitals_0shot", limit=1).records()

    assert record["model"] == "atlas/any"
    assert record["answered"]["texts"] == ("Paris",)
    assert record["scores"] == {"exact": {"value": 1.0, "parsed": "Paris"}}


def test_a_frame_has_scores_and_what_was_read_as_columns(asked: Path) -> None:
    frame = llmeval.samples("capitals_0shot").to_pandas()

    assert list(frame["answer"])[:3] == ["Paris", "Tokyo", "Quito"]
    assert list(frame["expected"])[:1] == [["Paris"]]
    assert list(frame["exact"])[:3] == [1.0, 1.0, 0.0]
    assert list(frame["exact:parsed"])[2] == "Quito"
    assert list(frame["failure"])[3] == "bad_request: Atlantis is on no map"


def test_a_key_that_nothing_has_names_the_one_that_is_meant(asked: Path) -> None:
    with pytest.raises(llmeval.UnknownNameError, match="did you mean 'capitals_0shot'"):
        llmeval.samples("capital_0shot")


def test_many_samples_are_shown_in_part(asked: Path) -> None:
    text = llmeval.samples("capitals_0shot")._repr_html_()

    assert "&lt;4 samples of capitals_0shot from atlas/any&gt;" in text
    assert text.count("<tr>") == 5
