"""Searching what a source of many ready-made tasks has."""

from __future__ import annotations

from llmeval_core.catalog import Catalog
from llmeval_core.config import ComponentConfig, Origin
from llmeval_core.contracts import FoundTask, SearchableTasks
from llmeval_core.errors import ConfigError, PluginError, wrap_plugin_errors


def search_tasks(catalog: Catalog, name: str, text: str) -> list[FoundTask]:
    """Find the tasks of a source that have all words of a text.

    Raises:
        ConfigError: nobody offers such a source, it cannot be searched, or has no such task.
        PluginError: the search failed.
    """
    argument = catalog.find("tasks", name).component.argument
    settings = {} if argument is None else {argument: text}
    config = ComponentConfig.model_validate({"use": name, **settings})
    source, _ = catalog.build("tasks", config, origin=Origin(), path=("tasks", name))
    if not isinstance(source, SearchableTasks):
        raise ConfigError(
            f"the tasks of '{name}' cannot be searched", hint=f"`llmeval tasks {name}` describes it"
        )
    with wrap_plugin_errors(PluginError, f"the tasks of '{name}' cannot be searched"):
        found = list(source.search(text))
    if not found:
        raise ConfigError(
            f"no task of '{name}' has '{text}' in what is said of it",
            hint="all words must occur; try fewer",
        )
    return found
