"""What a user can set for files."""

from __future__ import annotations

import codecs
from pathlib import Path
from typing import Literal

from pydantic import Field, field_validator

from llmeval_datasets.rows.fields import FieldSettings

_DELIMITERS = {"\\t": "\t", "tab": "\t", "comma": ",", "semicolon": ";", "pipe": "|"}


class TableSettings(FieldSettings):
    """One file or several with one sample a row."""

    path: Path = Field(
        description="The file, a folder, or a pattern such as `data/*.parquet`; several files are "
        "read in the order of their names."
    )
    few_shot_file: Path | None = Field(
        default=None,
        description="A file of the same form to take examples from; the file itself if left out.",
    )
    on_error: Literal["stop", "skip"] = Field(
        default="stop", description="What to do at a bad row."
    )


class FileSettings(TableSettings):
    """A text file with one sample a row; gzip, bzip2, xz, Zstandard and zip are recognised."""

    encoding: str | None = Field(
        default=None,
        description="Such as `cp932`, `euc_jp`, `utf-16`; by its mark (BOM) or UTF-8 if left out.",
    )
    rows: str | None = Field(
        default=None,
        description="The key of a JSON document's list of rows; `data` and the like are tried.",
    )
    max_line_chars: int = Field(
        default=16_777_216, ge=1, description="The longest line, field or row."
    )
    max_unpacked_bytes: int = Field(
        default=17_179_869_184, ge=1, description="The most that a compressed file may unpack to."
    )

    @field_validator("encoding")
    @classmethod
    def _known(cls, value: str | None) -> str | None:
        if value is None:
            return None
        try:
            b" ".decode(value, "replace")
            return codecs.lookup(value).name
        except (LookupError, ValueError, UnicodeError):
            raise ValueError(
                f"'{value}' is no encoding; usual ones: utf-8, cp932 (Japanese Windows, Excel), "
                "euc_jp, utf-16, latin-1"
            ) from None


class CsvSettings(FileSettings):
    """A CSV file."""

    delimiter: str | None = Field(
        default=None,
        min_length=1,
        max_length=1,
        description="Between fields; a tab for `.tsv`, a comma for others if left out.",
    )
    quote: str | None = Field(
        default='"',
        min_length=1,
        max_length=1,
        description="Around fields; null if the character has no meaning.",
    )
    header: bool = Field(default=True, description="Whether the first line names the columns.")
    columns: list[str] | None = Field(
        default=None, description="Names of the columns, in place of the header's."
    )

    @field_validator("delimiter", mode="before")
    @classmethod
    def _by_name(cls, value: object) -> object:
        return _DELIMITERS.get(value, value) if isinstance(value, str) else value
