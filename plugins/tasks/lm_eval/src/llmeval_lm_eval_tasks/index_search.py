"""Searching lm-eval's tasks, groups and tags by their names and data sets."""

from __future__ import annotations

from collections.abc import Iterable

from llmeval_core.hooks import FoundTask
from llmeval_lm_eval_tasks.task_index import IndexEntry

_KINDS = ("group", "tag", "task", "class")


def search_index(entries: Iterable[IndexEntry], text: str) -> list[FoundTask]:
    """Find the entries that have all words of a text in name or data set; groups come first."""
    words = text.lower().split()
    found = [one for one in entries if all(word in _searched(one) for word in words)]
    found.sort(key=lambda one: (_KINDS.index(one.kind), one.name))
    return [FoundTask(one.name, _about(one)) for one in found]


def _searched(entry: IndexEntry) -> str:
    return f"{entry.name} {entry.output_type} {entry.dataset}".lower()


def _about(entry: IndexEntry) -> str:
    if entry.tasks:
        return f"{entry.kind}, {len(entry.tasks)} tasks"
    return " ".join(part for part in (f"{entry.kind},", entry.output_type, entry.dataset) if part)
