"""Parquet: streamed in batches of rows, by pyarrow."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from llmeval_core.hooks import ConfigError, Dataset, DatasetError
from llmeval_datasets.files.arrow_rows import arrow_rows
from llmeval_datasets.files.file_settings import TableSettings
from llmeval_datasets.files.file_type_check import refuse_pointer
from llmeval_datasets.files.text_datasets import file_dataset
from llmeval_datasets.files.text_files import digest_of
from llmeval_datasets.files.unpacking import open_bytes
from llmeval_datasets.rows.sources import NumberedRow

_BATCH = 1024
_SUFFIXES = (".parquet", ".pq")
_HEAD_BYTES = 4096


def parquet_dataset(settings: TableSettings) -> Dataset:
    """Make a data set of Parquet files.

    Raises:
        ConfigError: pyarrow is not installed.
        DatasetError: a pattern matches no file.
    """
    try:
        import pyarrow.parquet  # noqa: F401, PLC0415  heavy, and an extra
    except ImportError as err:
        raise ConfigError(
            "Parquet files need pyarrow", hint='pip install "llmeval-datasets[parquet]"'
        ) from err
    return file_dataset(
        settings,
        _rows,
        suffixes=_SUFFIXES,
        count=_count,
        digest=digest_of,
        is_table=True,
        unit="row",
    )


def _open(path: Path) -> Any:
    """Open a file; Any: pyarrow has no type information."""
    from pyarrow.parquet import ParquetFile  # noqa: PLC0415  heavy

    with open_bytes(path, check=refuse_pointer) as raw:
        head = raw.peek(_HEAD_BYTES)
    if not head:
        raise DatasetError("the file is empty", where=str(path), hint="check the path")
    if not head.startswith((b"PAR1", b"PARE")):
        raise DatasetError(
            "this is no Parquet file",
            where=str(path),
            hint="for text, use `jsonl:` or `csv:`; unpack it if it is compressed",
        )
    try:
        file = ParquetFile(path)
        names = file.schema_arrow.names
    except Exception as err:  # pyarrow's errors have no class in common
        raise _unreadable(err, path) from err
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        raise DatasetError(
            f"the column '{twice[0]}' comes twice", where=str(path), hint="rename one of them"
        )
    return file


def _count(path: Path) -> int:
    with _open(path) as file:
        return int(file.metadata.num_rows)


def _rows(path: Path) -> Iterator[NumberedRow]:
    """Stream rows, numbered from 1."""
    number = 0
    with _open(path) as file:
        batches = file.iter_batches(batch_size=_BATCH)
        while True:
            try:
                batch = next(batches, None)
                rows = arrow_rows(batch) if batch is not None else None
            except Exception as err:  # see `_open`
                raise _unreadable(err, path, number + 1) from err
            if rows is None:
                return
            for row in rows:
                number += 1
                yield number, row


def _unreadable(err: Exception, path: Path, row: int | None = None) -> DatasetError:
    return DatasetError(
        f"cannot read the Parquet file{' on' if row else ''}: {err}",
        where=str(path) if row is None else f"{path}, row {row}",
        hint="is it complete? fetch it again",
    )
