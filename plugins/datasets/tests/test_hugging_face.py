"""Hugging Face data sets: the real library, on a data set saved to disk."""

from __future__ import annotations

from pathlib import Path

import datasets
import pytest
from llmeval_datasets.hub_environment import expand_hub_paths, hint_of
from llmeval_datasets.hugging_face import HuggingFaceSettings, hugging_face_dataset

from llmeval_core.hooks import DatasetError, Message
from llmeval_core.testing import check_dataset

ROWS = {"question": ["one?", "two?"], "answers": [["1", "I"], ["2"]]}


def test_a_saved_split_is_read(tmp_path: Path) -> None:
    datasets.Dataset.from_dict(ROWS).save_to_disk(str(tmp_path / "saved"))

    dataset = hugging_face_dataset(HuggingFaceSettings(path=str(tmp_path / "saved")))

    check_dataset(dataset)
    assert dataset.name == "saved"
    assert [sample.references for sample in dataset.samples()] == [("1", "I"), ("2",)]


def test_examples_come_from_another_split(tmp_path: Path) -> None:
    test, train = (
        datasets.Dataset.from_dict(ROWS),
        datasets.Dataset.from_dict({"question": ["three?"], "answers": [["3"]]}),
    )
    saved = datasets.DatasetDict({"test": test, "train": train})
    saved.save_to_disk(str(tmp_path / "saved"))
    settings = HuggingFaceSettings(path=str(tmp_path / "saved"), few_shot_split="train")

    dataset = hugging_face_dataset(settings)

    assert dataset.size() == 2
    assert [sample.input for sample in dataset.few_shot_pool()] == ["three?"]


def test_a_split_that_is_not_there_is_a_clear_error(tmp_path: Path) -> None:
    saved = datasets.DatasetDict({"train": datasets.Dataset.from_dict(ROWS)})
    saved.save_to_disk(str(tmp_path / "saved"))
    dataset = hugging_face_dataset(HuggingFaceSettings(path=str(tmp_path / "saved")))

    with pytest.raises(DatasetError, match=r"cannot load .*, split 'test': KeyError"):
        list(dataset.samples())


def test_a_folder_of_ones_home_is_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    datasets.Dataset.from_dict(ROWS).save_to_disk(str(tmp_path / "saved"))

    for path in ("~/saved", "$HOME/saved"):
        assert hugging_face_dataset(HuggingFaceSettings(path=path)).size() == 2


def test_paths_of_the_hubs_client_are_expanded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", "/home/me")
    environ = {"HF_HOME": "~/hf", "HF_DATASETS_CACHE": "$HOME/cache", "HF_TOKEN": "~"}

    expand_hub_paths(environ)

    assert environ == {
        "HF_HOME": "/home/me/hf",
        "HF_DATASETS_CACHE": "/home/me/cache",
        "HF_TOKEN": "~",
    }


@pytest.mark.parametrize(
    ("said", "environ", "hint"),
    [
        ("Couldn't reach 'x' (OfflineModeIsEnabled)", {"HF_HUB_OFFLINE": "1"}, "HF_HUB_OFFLINE is"),
        ("401 Client Error", {}, "set HF_TOKEN"),
        ("Dataset 'x' is a gated dataset on the Hub", {}, "set HF_TOKEN"),
        ("CERTIFICATE_VERIFY_FAILED", {}, "set SSL_CERT_FILE"),
        ("certificate verify failed", {"REQUESTS_CA_BUNDLE": "x"}, "is not heeded"),
        ("Couldn't find 'x'", {"HF_HUB_OFFLINE": "0"}, "check name"),
    ],
)
def test_an_error_of_the_hubs_client_has_a_cure(
    said: str, environ: dict[str, str], hint: str
) -> None:
    assert hint in hint_of(ConnectionError(said), environ)


def test_rows_are_read_as_they_are_stored_whatever_format_was_set(tmp_path: Path) -> None:
    saved = datasets.Dataset.from_dict(
        {"question": ["a", "b"], "answers": [0.1, 2.0], "more": [[{"x": 1}], []]},
        features=datasets.Features(
            {
                "question": datasets.Value("string"),
                "answers": datasets.Value("float32"),
                "more": datasets.List(datasets.Json()),
            }
        ),
    )
    saved.with_format("numpy", columns=["answers"]).save_to_disk(str(tmp_path / "saved"))

    dataset = hugging_face_dataset(
        HuggingFaceSettings(path=str(tmp_path / "saved"), metadata=["more"])
    )

    check_dataset(dataset)
    first, second = dataset.samples()
    assert (first.references, first.metadata) == (("0.1",), {"more": [{"x": 1}]})
    assert (second.references, second.metadata) == (("2",), {"more": []})


def test_a_value_that_is_no_text_is_named_with_its_row(tmp_path: Path) -> None:
    saved = datasets.Dataset.from_dict({"question": ["a", None], "answers": ["1", "2"]})
    saved.save_to_disk(str(tmp_path / "saved"))
    path = str(tmp_path / "saved")

    with pytest.raises(DatasetError) as caught:
        list(hugging_face_dataset(HuggingFaceSettings(path=path)).samples())
    skipping = hugging_face_dataset(HuggingFaceSettings(path=path, on_error="skip"))

    assert caught.value.what == "input (column 'question') is null, not a text"
    assert caught.value.where == f"{path} [test], row 2"
    assert [sample.input for sample in skipping.samples()] == ["a"]


def test_d02_arc_keys_1_to_4_are_labels_in_the_form_of_the_hub(tmp_path: Path) -> None:
    choices = [
        {"text": ["iron", "air", "wood", "stone"], "label": list(labels)}
        for labels in ("ABCD", "1234")
    ]
    saved = datasets.Dataset.from_dict(
        {"question": ["?", "?"], "choices": choices, "answerKey": ["C", "2"]}
    )
    saved.save_to_disk(str(tmp_path / "saved"))

    dataset = hugging_face_dataset(
        HuggingFaceSettings(path=str(tmp_path / "saved"), choices="choices", answer="answerKey")
    )

    assert [sample.references for sample in dataset.samples()] == [("wood",), ("air",)]


def test_n2_chat_messages_of_a_saved_set_are_conversations(tmp_path: Path) -> None:
    turns = [
        {"role": "user", "content": "Its capital?", "tool_calls": None},
        {"role": "assistant", "content": "Paris", "tool_calls": None},
    ]
    datasets.Dataset.from_dict({"messages": [turns]}).save_to_disk(str(tmp_path / "saved"))

    dataset = hugging_face_dataset(HuggingFaceSettings(path=str(tmp_path / "saved")))
    (sample,) = dataset.samples()

    assert sample.input == (Message("user", "Its capital?"),)
    assert sample.references == ("Paris",)
