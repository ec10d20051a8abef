"""Hugging Face data sets: from the hub, or from a folder made by `save_to_disk`."""

from __future__ import annotations

import functools
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Literal

from pydantic import Field

from llmeval_core.hooks import (
    ComponentConfig,
    ConfigError,
    Dataset,
    DatasetError,
    TaskDefaults,
    expand_path,
    fingerprint,
)
from llmeval_datasets.files.arrow_rows import arrow_rows
from llmeval_datasets.hub_environment import expand_hub_paths, hint_of
from llmeval_datasets.rows.fields import FieldSettings
from llmeval_datasets.rows.row_dataset import READING, RowDataset, legal_name
from llmeval_datasets.rows.sample_maker import SampleMaker
from llmeval_datasets.rows.settings_meaning import meaning_of
from llmeval_datasets.rows.sources import NumberedRow, RowSource

_BATCH = 1024


class HuggingFaceSettings(FieldSettings):
    """A data set of the `datasets` library."""

    path: str = Field(
        description="Name on the hub, or a folder made by `save_to_disk`.",
        json_schema_extra={"format": "path-or-name"},
    )
    config: str | None = Field(default=None, description="The configuration (subset).")
    split: str = Field(default="test", description="The evaluated split.")
    few_shot_split: str | None = Field(
        default=None, description="The split to take examples from; the evaluated one if left out."
    )
    on_error: Literal["stop", "skip"] = Field(
        default="stop", description="What to do at a bad row."
    )
    revision: str | None = Field(default=None, description="Commit, tag or branch on the hub.")


def hugging_face_dataset(settings: HuggingFaceSettings) -> Dataset:
    """Make a data set; it is loaded when the first sample is asked for.

    Raises:
        ConfigError: the `datasets` library is not installed.
    """
    expand_hub_paths()
    try:
        import datasets  # noqa: PLC0415  heavy, and an extra
    except ImportError as err:
        raise ConfigError(
            "Hugging Face data sets need the `datasets` library",
            hint='pip install "llmeval-datasets[huggingface]"',
        ) from err
    load = functools.lru_cache(maxsize=2)(functools.partial(_load, datasets, settings))

    def source(split: str) -> RowSource:
        label = f"{settings.path} [{split}]"
        return RowSource(label, lambda: _rows(load(split)), is_table=True, unit="row")

    pool_split = settings.few_shot_split
    meaning = meaning_of(settings)
    metric = "choice_accuracy" if settings.choices is not None else "exact_match"

    def whole_fingerprint() -> str:
        splits = [settings.split, *([pool_split] if pool_split else [])]
        # The library's own digest covers content and every change made to it.
        return fingerprint([READING, meaning, *(str(load(split)._fingerprint) for split in splits)])

    return RowDataset(
        legal_name(Path(settings.path).name),
        defaults=TaskDefaults(metrics=(ComponentConfig(use=metric),)),
        sources=(source(settings.split),),
        pool=(source(pool_split),) if pool_split else (),
        maker=SampleMaker(settings),
        on_error=settings.on_error,
        size=lambda: len(load(settings.split)),
        fingerprint=whole_fingerprint,
    )


def _load(library: Any, settings: HuggingFaceSettings, split: str) -> Any:
    """Load one split, memory-mapped; Any: the library's own types."""
    local = expand_path(settings.path)
    name = settings.path if local == Path(settings.path) else str(local)
    try:
        if local.exists() and ((local / "state.json").exists() or _is_dict(local)):
            found = library.load_from_disk(str(local))
            return found[split] if _is_dict(local) else found
        return library.load_dataset(name, settings.config, split=split, revision=settings.revision)
    except Exception as err:
        # The library's errors have no common class: no such data set, split, network, ...
        raise DatasetError(
            f"cannot load '{settings.path}', split '{split}': {type(err).__name__}: {err}",
            hint=hint_of(err),
        ) from err


def _is_dict(local: Path) -> bool:
    return (local / "dataset_dict.json").exists()


def _rows(split: Any) -> Iterator[NumberedRow]:
    """Stream rows, numbered from 1, as they are stored, whatever format was set.

    Any: the library's own types.
    """
    number = 0
    for table in split.with_format("arrow").iter(batch_size=_BATCH):
        for row in arrow_rows(table):
            number += 1
            yield number, row
