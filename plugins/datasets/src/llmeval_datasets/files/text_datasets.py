"""Data sets of JSON Lines, JSON and CSV files: streamed row by row, never held in memory."""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterable
from pathlib import Path

from llmeval_core.hooks import ComponentConfig, Dataset, Json, TaskDefaults, fingerprint
from llmeval_datasets.files.csv_rows import csv_rows
from llmeval_datasets.files.file_search import files_of, name_of
from llmeval_datasets.files.file_settings import CsvSettings, FileSettings, TableSettings
from llmeval_datasets.files.json_rows import count_json_rows, json_rows
from llmeval_datasets.files.text_files import TextOptions, digest_of
from llmeval_datasets.files.unpacking import ReadLimits
from llmeval_datasets.rows.row_dataset import READING, RowDataset
from llmeval_datasets.rows.sample_maker import SampleMaker
from llmeval_datasets.rows.settings_meaning import meaning_of
from llmeval_datasets.rows.sources import NumberedRow, RowSource

Rows = Callable[[Path], Iterable[NumberedRow]]
_JSON_SUFFIXES = (".jsonl", ".ndjson", ".json")
_CSV_SUFFIXES = (".csv", ".tsv", ".tab")
_NO_HEADER = (
    "map the field, as in `input: NAME`; if the file has no header, set `header: false` and "
    "`columns: [question, A, B, ...]`"
)
_NO_MEANING = frozenset({"path", "few_shot_file", "max_line_chars", "max_unpacked_bytes"})


def jsonl_dataset(settings: FileSettings) -> Dataset:
    """Make a data set of JSON Lines: one object a line, empty lines are passed over.

    A JSON array, and a document with a list of rows, are read too.

    Raises:
        DatasetError: a pattern matches no file.
    """
    options = _opening(settings)
    return file_dataset(
        settings,
        lambda path: json_rows(path, options, settings.rows),
        suffixes=_JSON_SUFFIXES,
        count=lambda path: count_json_rows(path, options, settings.rows),
        digest=lambda path: digest_of(path, options.limits),
    )


def csv_dataset(settings: CsvSettings) -> Dataset:
    """Make a data set of CSV files; quoted fields may hold line ends.

    Raises:
        DatasetError: a pattern matches no file.
    """
    options = _opening(settings)

    def rows(path: Path) -> Iterable[NumberedRow]:
        return csv_rows(path, options, settings)

    return file_dataset(
        settings,
        rows,
        suffixes=_CSV_SUFFIXES,
        count=lambda path: sum(1 for _ in rows(path)),
        digest=lambda path: digest_of(path, options.limits),
        is_table=True,
        advice=None if settings.columns or not settings.header else _NO_HEADER,
    )


def file_dataset(
    settings: TableSettings,
    rows: Rows,
    *,
    suffixes: tuple[str, ...],
    count: Callable[[Path], int],
    digest: Callable[[Path], str],
    is_table: bool = False,
    unit: str | None = None,
    advice: str | None = None,
) -> RowDataset:
    """Put a data set together from files and perhaps others with examples.

    Args:
        settings: what the user set.
        rows: streams the rows of one file.
        suffixes: which files of a folder are read.
        count: counts the rows of one file.
        digest: a digest of one file's content.
        is_table: whether all rows of a file have the same columns.
        unit: what the rows' numbers count; None for lines.
        advice: what to try if a field is not there; None for the usual.

    Raises:
        DatasetError: a pattern matches no file.
    """
    files = files_of(settings.path, suffixes)
    pool = files_of(settings.few_shot_file, suffixes) if settings.few_shot_file else ()
    meaning = meaning_of(settings, exclude=_NO_MEANING)

    def whole_fingerprint() -> str:
        content: list[Json] = [[digest(path) for path in paths] for paths in (files, pool)]
        return fingerprint([READING, *content, meaning])

    def sources(paths: tuple[Path, ...]) -> tuple[RowSource, ...]:
        return tuple(
            RowSource(
                str(path),
                functools.partial(rows, path),
                is_table=is_table,
                unit=unit,
                advice=advice,
                folder=path.parent,
            )
            for path in paths
        )

    metric = "choice_accuracy" if settings.choices is not None else "exact_match"
    return RowDataset(
        name_of(settings.path),
        defaults=TaskDefaults(metrics=(ComponentConfig(use=metric),)),
        sources=sources(files),
        pool=sources(pool),
        maker=SampleMaker(settings),
        on_error=settings.on_error,
        size=functools.lru_cache(maxsize=1)(lambda: sum(map(count, files))),
        fingerprint=functools.lru_cache(maxsize=1)(whole_fingerprint),
    )


def _opening(settings: FileSettings) -> TextOptions:
    return TextOptions(
        settings.encoding, ReadLimits(settings.max_line_chars, settings.max_unpacked_bytes)
    )
