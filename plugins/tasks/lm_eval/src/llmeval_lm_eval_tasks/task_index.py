"""Which name stands in which file: lm-eval's tasks, groups and tags, found without importing it."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, replace
from importlib.metadata import PackageNotFoundError, version
from importlib.util import find_spec
from pathlib import Path
from typing import Literal

import yaml

from llmeval_core.hooks import ConfigError, fingerprint
from llmeval_core.support import cache_folder, write_atomically
from llmeval_lm_eval_tasks.task_yaml import Config, YamlReader

EntryKind = Literal["task", "class", "group", "tag"]
_FORMAT = 1
_IGNORED = ("__pycache__", ".ipynb_checkpoints")


@dataclass(frozen=True, slots=True)
class IndexEntry:
    """What one name stands for.

    Args:
        name: the name.
        kind: a task of YAML, a Python class, a group, or a tag.
        path: the YAML file; empty for a tag.
        tasks: of a tag, or of a task or group that is also used as one: the tasks that have it.
        output_type: of a task, how it asks; empty if the file does not say.
        dataset: the data set's path and name; empty if there is none.
    """

    name: str
    kind: EntryKind
    path: str = ""
    tasks: tuple[str, ...] = ()
    output_type: str = ""
    dataset: str = ""


Index = Mapping[str, IndexEntry]


def library_version() -> str:
    """Return the version of lm-eval.

    Raises:
        ConfigError: it is not installed.
    """
    try:
        return version("lm_eval")
    except PackageNotFoundError as err:
        raise ConfigError("lm-eval is not installed", hint="pip install lm_eval") from err


def library_tasks() -> Path:
    """Find the folder of the tasks that come with lm-eval; imports nothing.

    Raises:
        ConfigError: it is not installed.
    """
    found = find_spec("lm_eval")
    if found is None or not found.submodule_search_locations:
        raise ConfigError("lm-eval is not installed", hint="pip install lm_eval")
    return Path(found.submodule_search_locations[0], "tasks")


def build_index(folders: tuple[Path, ...], *, cache: Path | None = None) -> dict[str, IndexEntry]:
    """Index folders; where a name stands in several, the last folder counts.

    Args:
        folders: the folders.
        cache: where indexes are kept; None for llmeval's folder in the user's cache.
    """
    index: dict[str, IndexEntry] = {}
    for folder in folders:
        index.update(_cached_index(folder.expanduser().resolve(), cache or _cache()))
    return index


def _cache() -> Path:
    return cache_folder() / "lm_eval_tasks"


def _cached_index(folder: Path, cache: Path) -> dict[str, IndexEntry]:
    """Read the index of one folder from the cache; it is made again if a YAML file changed."""
    files = sorted(_yaml_files(str(folder)))
    digest = hashlib.sha256()
    for path, changed_ns, size in files:
        digest.update(f"{path}\0{changed_ns}\0{size}\n".encode("utf-8", "surrogateescape"))
    signature = f"{_FORMAT} {digest.hexdigest()}"
    kept = cache / f"index-{fingerprint(str(folder))}.json"
    try:
        stored = json.loads(kept.read_text(encoding="utf-8"))
        if stored["signature"] == signature:
            return {
                one["name"]: IndexEntry(**{**one, "tasks": tuple(one["tasks"])})
                for one in stored["entries"]
            }
    except (OSError, ValueError, KeyError, TypeError):
        pass  # there is none yet, or it is broken: made anew below
    index = index_files([Path(path) for path, _, _ in files])
    document = {"signature": signature, "entries": [asdict(entry) for entry in index.values()]}
    try:
        cache.mkdir(parents=True, exist_ok=True)
        write_atomically(kept, json.dumps(document))
    except OSError:
        pass  # a cache that cannot be written costs time, nothing else
    return index


def _yaml_files(folder: str) -> Iterator[tuple[str, int, int]]:
    """Find YAML files with their time of change and size, 14,000 in 0.1 s."""
    try:
        with os.scandir(folder) as listed:
            for entry in listed:
                if entry.is_dir(follow_symlinks=False):
                    if entry.name not in _IGNORED:
                        yield from _yaml_files(entry.path)
                elif entry.name.endswith(".yaml"):
                    stat = entry.stat()
                    yield entry.path, stat.st_mtime_ns, stat.st_size
    except FileNotFoundError:
        return


def index_files(files: list[Path]) -> dict[str, IndexEntry]:
    """Index files by the rules of lm-eval's own index; what cannot be read is left out."""
    reader = YamlReader()
    index: dict[str, IndexEntry] = {}
    for path in sorted(files, key=Path.as_posix):
        try:
            _add(index, reader.read(path), path)
        except (OSError, ValueError, TypeError, yaml.YAMLError):
            continue
    return index


def kind_of(config: Config) -> EntryKind | None:
    """Say what a file declares; None if it is only there to be included."""
    for key, kind in (("class", "class"), ("group", "group"), ("task", "task")):
        if key in config:
            return kind  # type: ignore[return-value]  # mypy widens the literals of the loop
    return None


def _add(index: dict[str, IndexEntry], config: Config, path: Path) -> None:
    kind = kind_of(config)
    if kind is None:
        return
    name = config["group" if kind == "group" else "task"]
    if not isinstance(name, str) or name in index:
        return  # the first file with a name counts, as in lm-eval
    dataset = [str(config[key]) for key in ("dataset_path", "dataset_name") if config.get(key)]
    index[name] = IndexEntry(
        name,
        kind,
        str(path),
        output_type=str(config.get("output_type") or ""),
        dataset=" ".join(dataset),
    )
    if kind == "group":
        return
    tags = config.get("tag") or []
    for tag in tags if isinstance(tags, list) else [tags]:
        entry = index.get(tag) or IndexEntry(tag, "tag")
        index[tag] = replace(entry, tasks=tuple(sorted({*entry.tasks, name})))
