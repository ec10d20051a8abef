"""Files in place of data sets on the command line: `-d my.jsonl`."""

from __future__ import annotations

from pathlib import Path

from llmeval_core.catalog import Catalog
from llmeval_core.config import RunConfig
from llmeval_core.errors import UnknownNameError
from llmeval_core.naming import split_reference


def with_file_datasets(config: RunConfig, catalog: Catalog) -> RunConfig:
    """Let each task whose data set is a file use the data set that reads such files.

    Raises:
        PluginError, UnknownNameError: see `file_dataset`.
    """
    tasks = []
    for task in config.tasks:
        if task.dataset is not None:
            use = file_dataset(task.dataset.use, catalog)
            dataset = task.dataset.model_copy(update={"use": use})
            task = task.model_copy(update={"dataset": dataset})  # noqa: PLW2901
        tasks.append(task)
    return config.model_copy(update={"tasks": tuple(tasks)})


def file_dataset(use: str, catalog: Catalog) -> str:
    """Return `jsonl:my.jsonl` for `my.jsonl`; anything else stays as it is.

    Raises:
        PluginError: several data sets read files whose names end so.
        UnknownNameError: it is a file or a folder, and no data set reads what is called so.
    """
    if split_reference(use)[0] in catalog.names("datasets"):
        return use
    reader = catalog.reader_of("datasets", use)
    if reader is not None:
        return f"{reader.component.name}:{use}"
    if Path(use).exists():
        components = [registered.component for registered in catalog.components("datasets")]
        readers = dict.fromkeys(component.name for component in components if component.suffixes)
        raise UnknownNameError(
            f"nothing says how to read '{use}'",
            where=f"-d {use}",
            hint=f"name a data set that reads files, as in `-d {next(iter(readers))}:{use}`;"
            f" there are {', '.join(readers)}"
            if readers
            else catalog.disabled_hint
            or "no data set that reads files is installed; llmeval-datasets has some",
        )
    return use
