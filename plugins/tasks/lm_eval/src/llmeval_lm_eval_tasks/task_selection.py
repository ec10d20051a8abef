"""From a name to tasks and groups: names, globs, tags, groups, files; nothing is imported."""

from __future__ import annotations

import fnmatch
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from llmeval_core.hooks import ConfigError
from llmeval_lm_eval_tasks.nearest_names import nearest
from llmeval_lm_eval_tasks.task_index import Index, IndexEntry, kind_of
from llmeval_lm_eval_tasks.task_yaml import Config, YamlReader

_GROUP_KEYS = frozenset({"group", "group_alias", "task", "aggregate_metric_list", "metadata"})


@dataclass(frozen=True, slots=True)
class TaskChoice:
    """One task to run, as its YAML and the groups around it say; no Python is imported.

    Args:
        name: the task's name.
        path: its YAML file; None if a group declares it itself.
        overrides: what groups lay over the file; without a file, all there is.
        config: the file with the overrides over it.
        is_class: whether Python code makes it.
    """

    name: str
    path: Path | None
    overrides: Config
    config: Config
    is_class: bool = False


@dataclass(frozen=True, slots=True)
class GroupChoice:
    """A group that makes numbers of its own.

    Args:
        name: the group's name.
        tasks: the names of all tasks in it and in the groups below, in lm-eval's order.
        aggregates: its `aggregate_metric_list`.
        version: as its metadata say; None if they do not.
    """

    name: str
    tasks: tuple[str, ...]
    aggregates: tuple[Config, ...]
    version: str | None


@dataclass(slots=True)
class Selection:
    """What was asked for: tasks by name, and groups."""

    tasks: dict[str, TaskChoice] = field(default_factory=dict)
    groups: dict[str, GroupChoice] = field(default_factory=dict)


def select_tasks(wanted: str, index: Index) -> Selection:
    """Find what a reference names: names, tags, groups, globs, YAML files, with commas between.

    Raises:
        ConfigError: there is no such thing, or a file is not as it should be.
    """
    selector = _Selector(index)
    for name in [part.strip() for part in wanted.split(",") if part.strip()]:
        selector.add(name)
    return selector.selection


class _Selector:
    def __init__(self, index: Index) -> None:
        self._index = index
        self._reader = YamlReader()
        self._before: dict[str, TaskChoice] = {}
        self.selection = Selection()

    def add(self, name: str) -> None:
        """Add what one name, glob or path stands for."""
        self._before = dict(self.selection.tasks)
        entry = self._index.get(name)
        if entry is not None:
            self._add_entry(entry)
        elif any(mark in name for mark in "*?["):
            found = sorted(fnmatch.filter(self._index, name))
            if not found:
                raise _unknown(name, self._index)
            for one in found:
                self._before = dict(self.selection.tasks)
                self._add_entry(self._index[one])
        elif name.endswith((".yaml", ".yml")):
            self._add_entry(self._entry_of_file(Path(name).expanduser().resolve()))
        else:
            raise _unknown(name, self._index)

    def _entry_of_file(self, path: Path) -> IndexEntry:
        config = self._config(path)
        kind = kind_of(config)
        name = config.get("task") or config.get("group")
        if kind is None or not isinstance(name, str):
            raise ConfigError(
                f"'{path}' declares no task",
                hint="a task's file has the keys `task`, `dataset_path` and `doc_to_text`",
            )
        return IndexEntry(name, kind, str(path))

    def _add_entry(self, entry: IndexEntry) -> None:
        if entry.kind == "group":
            self._group(entry.name, self._config(Path(entry.path)), {})
        elif entry.kind == "tag":
            for name in entry.tasks:
                self._task(self._index[name], {})
        else:
            self._task(entry, {})

    def _task(self, entry: IndexEntry, overrides: Config) -> str:
        config = {**self._config(Path(entry.path)), **overrides}
        name = str(config["task"])
        known = self._before.get(name)  # within one group the last one counts, as in lm-eval
        if known is not None and known.config != config:
            raise ConfigError(
                f"lm-eval's task '{name}' is asked for in two ways",
                hint="groups may set options of their tasks: make two entries of it, one with a"
                " `variant:`",
            )
        is_class = entry.kind == "class" or "class" in config
        self.selection.tasks[name] = TaskChoice(name, Path(entry.path), overrides, config, is_class)
        return name

    def _group(self, name: str, config: Config, overrides: Config) -> list[str]:
        """Add a group; return the names of its tasks, with those of the groups below."""
        own = {key: value for key, value in config.items() if key not in _GROUP_KEYS}
        members = config.get("task")
        found: dict[str, None] = {}
        if isinstance(members, str):
            members = None  # lm-eval takes the name of one member for nothing
        for item in members or []:
            found.update(dict.fromkeys(self._member(item, name, {**own, **overrides})))
        aggregates = config.get("aggregate_metric_list") or []
        metadata = config.get("metadata")
        version = metadata.get("version") if isinstance(metadata, dict) else None
        if aggregates:
            self.selection.groups[name] = GroupChoice(
                name,
                tuple(found),
                tuple(aggregates) if isinstance(aggregates, list) else (aggregates,),
                None if version is None else str(version),
            )
        return list(found)

    def _member(self, item: Any, group: str, overrides: Config) -> Iterator[str]:  # Any: YAML
        """Add one member of a group; give the names of the tasks that it stands for."""
        if isinstance(item, dict) and "group" in item:
            yield from self._inner_group(item, group, overrides)
            return
        if isinstance(item, dict) and "task" in item:
            base, laid_over = item["task"], {**overrides, **item}
        elif isinstance(item, str):
            base, laid_over = item, overrides
        else:
            raise ConfigError(f"group '{group}' has a member that is neither task nor group")
        entry = self._index.get(base)
        if entry is None:
            own = f"{group}::{base}"
            config = {**laid_over, "task": own}
            self.selection.tasks[own] = TaskChoice(own, None, config, config)
            yield own
        elif entry.kind == "group":
            yield from self._group(base, self._config(Path(entry.path)), laid_over)
        else:
            names: Iterable[str] = entry.tasks if entry.kind == "tag" else (base,)
            for name in names:
                yield self._task(self._index[name], {"task": name, **laid_over})

    def _inner_group(self, item: Config, group: str, overrides: Config) -> list[str]:
        name = item["group"]
        entry = self._index.get(name)
        if entry is None:
            return self._group(f"{group}::{name}", item, overrides)
        laid_over = {
            **overrides,
            **{key: value for key, value in item.items() if key != "group"},
        }
        return self._group(name, self._config(Path(entry.path)), laid_over)

    def _config(self, path: Path) -> Config:
        try:
            return self._reader.read(path)
        except Exception as err:
            # Whatever a YAML file can be wrong in: syntax, encoding, includes.
            raise ConfigError(f"cannot read '{path}': {err}") from err


def _unknown(name: str, index: Index) -> ConfigError:
    hint = "`llmeval tasks lm_eval --search TEXT` finds more"
    near = nearest(name, index)
    return ConfigError(
        f"lm-eval has no task, group or tag '{name}'",
        hint=f"did you mean '{near}'? {hint}" if near else hint,
    )
