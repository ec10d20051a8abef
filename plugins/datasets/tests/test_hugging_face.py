"""Hugging Face data sets: the real library, on a data set saved to disk."""

from __future__ import annotations

from pathlib import Path

import datasets
import pytest
from llmeval_datasets.hub_environment import expand_hub_paths, hint_of
from llmeval_datasets.hugging_face import HuggingFaceSettings, hugging_face_dataset

from llmeval_core.hooks import DatasetError
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
