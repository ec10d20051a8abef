"""JSON Lines and CSV: streamed row by row, never held in memory."""

from __future__ import annotations

import csv
import functools
import json
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

from llmeval_core.hooks import (
    ComponentConfig,
    Dataset,
    DatasetError,
    TaskDefaults,
    fingerprint,
)
from llmeval_datasets.files.opening import digest_and_lines, open_text
from llmeval_datasets.files.settings import CsvSettings, FileSettings
from llmeval_datasets.rows.dataset import BadRow, NumberedRow, RowDataset, RowSource, legal_name
from llmeval_datasets.rows.samples import SampleMaker

Rows = Callable[[Path], Iterable[NumberedRow]]


def jsonl_dataset(settings: FileSettings) -> Dataset:
    """Make a data set of a JSON Lines file: one object a line, empty lines are passed over."""
    digest = functools.lru_cache(maxsize=1)(lambda: digest_and_lines(settings.path))
    return file_dataset(settings, jsonl_rows, digest=lambda: digest()[0], size=lambda: digest()[1])


def csv_dataset(settings: CsvSettings) -> Dataset:
    """Make a data set of a CSV file with a header; quoted fields may hold line ends."""
    rows = functools.partial(csv_rows, delimiter=settings.delimiter)
    return file_dataset(
        settings,
        rows,
        digest=lambda: digest_and_lines(settings.path)[0],
        size=lambda: sum(1 for _ in rows(settings.path)),
    )


def file_dataset(
    settings: FileSettings,
    rows: Rows,
    *,
    digest: Callable[[], str],
    size: Callable[[], int | None],
) -> RowDataset:
    """Put a data set together from one file and perhaps another with examples."""
    pool = settings.few_shot_file
    meaning = settings.model_dump(mode="json", exclude={"path", "few_shot_file"})

    def whole_fingerprint() -> str:
        examples = digest_and_lines(pool)[0] if pool is not None else None
        return fingerprint([digest(), examples, meaning])

    metric = "choice_accuracy" if settings.choices is not None else "exact_match"
    return RowDataset(
        legal_name(settings.path.name.split(".")[0]),
        defaults=TaskDefaults(metrics=(ComponentConfig(use=metric),)),
        sources=(RowSource(str(settings.path), functools.partial(rows, settings.path)),),
        pool=(RowSource(str(pool), functools.partial(rows, pool)),) if pool else (),
        maker=SampleMaker(settings),
        on_error=settings.on_error,
        size=size,
        fingerprint=functools.lru_cache(maxsize=1)(whole_fingerprint),
    )


def jsonl_rows(path: Path) -> Iterator[NumberedRow]:
    """Stream the objects of a JSON Lines file with their line numbers."""
    number = 0
    try:
        with open_text(path) as file:
            for line in file:
                number += 1
                if line.isspace():
                    continue
                try:
                    row = json.loads(line.strip())
                except json.JSONDecodeError as err:
                    yield number, BadRow(f"not JSON: {err.msg}, column {err.colno}")
                    continue
                yield number, row if isinstance(row, dict) else BadRow("not a JSON object")
    except (OSError, EOFError, UnicodeDecodeError) as err:
        raise DatasetError(f"cannot read on: {err}", where=f"{path}:{number + 1}") from err


def csv_rows(path: Path, *, delimiter: str) -> Iterator[NumberedRow]:
    """Stream the rows of a CSV file with the line numbers on which they end."""
    reader = None
    try:
        with open_text(path) as file:
            reader = csv.reader(file, delimiter=delimiter)
            header = next(reader, [])
            for fields in reader:
                if not fields:
                    continue
                if len(fields) != len(header):
                    n = len(fields)
                    yield reader.line_num, BadRow(f"{n} fields, the header has {len(header)}")
                    continue
                yield reader.line_num, dict(zip(header, fields, strict=True))
    except (OSError, EOFError, UnicodeDecodeError, csv.Error) as err:
        number = reader.line_num if reader is not None else 1
        raise DatasetError(f"cannot read on: {err}", where=f"{path}:{number}") from err
