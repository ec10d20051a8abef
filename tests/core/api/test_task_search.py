"""Searching the tasks of a source."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import pytest

from llmeval_core.api import search_tasks
from llmeval_core.contracts import FoundTask, TaskOptions, TaskSet
from llmeval_core.errors import ConfigError, PluginError
from llmeval_core.testing.running import catalog_of


class Library:
    """Has a few tasks."""

    def load(self, options: TaskOptions) -> TaskSet:
        raise NotImplementedError

    def search(self, text: str) -> Iterable[FoundTask]:
        if text == "broken":
            raise KeyError(text)
        return (FoundTask(name, "a task") for name in ("one", "other") if text in name)


class Single:
    """Cannot be searched."""

    def load(self, options: TaskOptions) -> TaskSet:
        raise NotImplementedError


CATALOG = catalog_of({"tasks": {"library": Library(), "single": Single()}})


def test_what_a_source_finds_is_given_in_its_order() -> None:
    assert search_tasks(CATALOG, "library", "o") == [
        FoundTask("one", "a task"),
        FoundTask("other", "a task"),
    ]


@pytest.mark.parametrize(
    ("name", "text", "error", "told"),
    [
        (
            "library",
            "x",
            ConfigError,
            "no task of 'library' has 'x' in what is said of it\n"
            "  try:   all words must occur; try fewer",
        ),
        (
            "single",
            "x",
            ConfigError,
            "the tasks of 'single' cannot be searched\n"
            "  try:   `llmeval tasks single` describes it",
        ),
        (
            "library",
            "broken",
            PluginError,
            "the tasks of 'library' cannot be searched: KeyError: 'broken'\n"
            "  try:   this is a bug in the plugin; tell its author",
        ),
    ],
)
def test_a_search_that_comes_to_nothing_says_why(
    name: str, text: str, error: type[Any], told: str
) -> None:
    with pytest.raises(error) as caught:
        search_tasks(CATALOG, name, text)

    assert str(caught.value) == told
