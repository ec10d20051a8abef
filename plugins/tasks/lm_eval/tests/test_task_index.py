"""The index of lm-eval's names: what lm-eval's own has, cached, renewed when files change."""

from __future__ import annotations

import os
from importlib import import_module
from pathlib import Path

import pytest
from llmeval_lm_eval_tasks.task_index import IndexEntry, build_index, library_tasks

KINDS = {"TASK": "task", "PY_TASK": "class", "GROUP": "group", "TAG": "tag"}


def write(folder: Path, name: str, text: str) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / name
    path.write_text(text, encoding="utf-8")
    return path


@pytest.mark.parametrize("family", ["mmlu", "super_glue", "bbh", "scrolls", "leaderboard", "glue"])
def test_it_is_that_of_lm_eval(family: str, library: None, tmp_path: Path) -> None:
    folder = library_tasks() / family
    expected = import_module("lm_eval.tasks._index").TaskIndex.build([folder])

    index = build_index((folder,), cache=tmp_path)

    assert {
        name: (KINDS[entry.kind.name], str(entry.yaml_path or ""))
        for name, entry in expected.items()
    } == {name: (entry.kind, entry.path) for name, entry in index.items()}
    assert {name: sorted(one.tags) for name, one in expected.items() if one.kind.name == "TAG"} == {
        name: list(one.tasks) for name, one in index.items() if one.kind == "tag"
    }


def test_all_of_lm_eval_is_found(cache: Path) -> None:
    index = build_index((library_tasks(),), cache=cache)

    assert index["gsm8k"].dataset == "openai/gsm8k main"
    assert index["mmlu"].kind == "group"
    assert index["squadv2"].kind == "class"
    assert "gsm8k_cot" in index["chain_of_thought"].tasks
    assert len(index) > 14_000


def test_a_file_that_changed_is_read_again(tmp_path: Path) -> None:
    folder, cache = tmp_path / "mine", tmp_path / "cache"
    path = write(folder, "a.yaml", "task: first\ntag: mine\n")
    build_index((folder,), cache=cache)
    path.write_text("task: other\ntag: mine\n", encoding="utf-8")
    os.utime(path, ns=(1, 1))

    index = build_index((folder,), cache=cache)

    assert index == {
        "other": IndexEntry("other", "task", str(path)),
        "mine": IndexEntry("mine", "tag", tasks=("other",)),
    }


def test_an_unchanged_folder_is_not_parsed_again(tmp_path: Path) -> None:
    folder, cache = tmp_path / "mine", tmp_path / "cache"
    path = write(folder, "a.yaml", "task: kept\n")
    stat = path.stat()
    build_index((folder,), cache=cache)
    path.write_text("task: lost\n", encoding="utf-8")
    os.utime(path, ns=(stat.st_atime_ns, stat.st_mtime_ns))

    assert set(build_index((folder,), cache=cache)) == {"kept"}


def test_a_broken_cache_is_made_anew(tmp_path: Path) -> None:
    folder, cache = tmp_path / "mine", tmp_path / "cache"
    write(folder, "a.yaml", "task: mine\n")
    build_index((folder,), cache=cache)
    for kept in cache.iterdir():
        kept.write_text("{", encoding="utf-8")

    assert set(build_index((folder,), cache=cache)) == {"mine"}


def test_the_last_folder_counts_and_what_cannot_be_read_is_left_out(tmp_path: Path) -> None:
    one, two = tmp_path / "one", tmp_path / "two"
    write(one, "a.yaml", "task: both\n")
    path = write(two, "a.yaml", "task: both\n")
    write(two, "b.yaml", "task: [\n")
    write(two, "c.yaml", "include: c.yaml\ntask: circle\n")
    write(two / "__pycache__", "d.yaml", "task: hidden\n")

    index = build_index((one, two, tmp_path / "missing"), cache=tmp_path / "cache")

    assert index == {"both": IndexEntry("both", "task", str(path))}
