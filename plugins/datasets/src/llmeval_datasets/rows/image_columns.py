"""Columns with images, which are shown before the text of a question."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from llmeval_core.hooks import ImagePart
from llmeval_datasets.rows.fields import Row, compile_field
from llmeval_datasets.rows.images import image_of, is_no_image
from llmeval_datasets.rows.values import FieldError, listed


class ImageReader:
    """Reads the images of a row, in the order of the columns.

    Args:
        columns: a column, path or template, or several; each has an image, a list of them, or
            nothing.

    Raises:
        ConfigError: a template has a syntax error.
    """

    def __init__(self, columns: str | list[str]) -> None:
        names = [columns] if isinstance(columns, str) else columns
        self._fields = [compile_field(name, "images") for name in names]

    def read(self, row: Row, folder: Path | None) -> tuple[ImagePart, ...]:
        """Read them; none where a row has nothing there.

        Raises:
            FieldError: there is no such field, or it has something that is no image.
        """
        found = []
        for field in self._fields:
            for value in _items(field.read(row)):
                if is_no_image(value):
                    continue
                try:
                    found.append(image_of(value, folder))
                except FieldError as err:
                    raise field.error(row, err) from None
        return tuple(found)


def _items(value: Any) -> list[Any] | tuple[Any, ...]:
    """Return the images of a list, also one that is written as JSON; Any: what the file has."""
    if isinstance(value, str) and value.lstrip().startswith("["):
        try:
            value = json.loads(value)
        except (ValueError, RecursionError):
            return [value]  # a strange name of a file
    items = listed(value)
    return [value] if items is None else items
