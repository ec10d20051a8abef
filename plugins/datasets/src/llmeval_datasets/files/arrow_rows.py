"""Rows of Arrow tables: with what stands in them, not what Python makes of it.

Numbers of 32 bits keep their own digits (0.1 is not 0.10000000149011612), JSON is read, and a
value that Python cannot hold is unreadable by itself: the other columns and rows are not.
"""

from __future__ import annotations

import contextlib
import json
from collections.abc import Callable
from typing import Any

from llmeval_datasets.rows.values import UnreadableValue

Convert = Callable[[Any], Any]


def arrow_rows(table: Any) -> list[dict[str, Any]]:
    """Return the rows of a table or a batch; Any: pyarrow has no type information."""
    names = table.schema.names
    columns = [_values(table.column(place)) for place in range(len(names))]
    if not columns:
        return [{} for _ in range(table.num_rows)]
    return [dict(zip(names, values, strict=True)) for values in zip(*columns, strict=True)]


def _values(column: Any) -> list[Any]:
    """Return the values of a column; Any: see above."""
    import pyarrow as pa  # noqa: PLC0415  heavy

    wide = _replaced(column.type, pa.types.is_float32, pa.float64(), pa)
    if not wide.equals(column.type):  # no cast in vain: it breaks nested nulls
        text = _replaced(column.type, pa.types.is_float32, pa.string(), pa)
        with contextlib.suppress(pa.ArrowException):  # nested in a way that cannot be cast
            column = column.cast(text).cast(wide)
    # What a value that Python cannot hold raises depends on its type.
    errors = (pa.ArrowException, ArithmeticError, AttributeError, TypeError, ValueError)
    try:
        values = column.to_pylist()
    except errors:
        values = [_value(scalar, errors) for scalar in column]
    convert = _json_reader(column.type, pa)
    return list(map(convert, values)) if convert is not None else values


def _value(scalar: Any, errors: tuple[type[Exception], ...]) -> Any:
    """Return one value, or what says that it cannot be read; Any: see above."""
    try:
        return scalar.as_py()
    except errors as err:
        return UnreadableValue(f"a {scalar.type} that cannot be read ({err})")


def _replaced(found: Any, is_meant: Callable[[Any], bool], other: Any, pa: Any) -> Any:
    """Put another type in place of some in a type, however deep; Any: see above."""
    if is_meant(found):
        return other
    if pa.types.is_list(found) or pa.types.is_large_list(found):
        inner = _replaced(found.value_type, is_meant, other, pa)
        make = pa.list_ if pa.types.is_list(found) else pa.large_list
        return found if inner is found.value_type else make(inner)
    if pa.types.is_struct(found):
        fields = [found.field(place) for place in range(found.num_fields)]
        types = [_replaced(field.type, is_meant, other, pa) for field in fields]
        if all(new is field.type for new, field in zip(types, fields, strict=True)):
            return found
        return pa.struct([(f.name, new) for f, new in zip(fields, types, strict=True)])
    return found


def _json_reader(found: Any, pa: Any) -> Convert | None:
    """Make a function that reads the JSON in a value of this type; None if there is none."""
    if getattr(found, "extension_name", "") == "arrow.json":
        return _read_json
    if pa.types.is_list(found) or pa.types.is_large_list(found):
        inner = _json_reader(found.value_type, pa)
        if inner is None:
            return None
        return lambda value: None if value is None else [inner(item) for item in value]
    if pa.types.is_struct(found):
        readers = {
            field.name: reader
            for field in (found.field(place) for place in range(found.num_fields))
            if (reader := _json_reader(field.type, pa)) is not None
        }
        return (lambda value: _read_parts(value, readers)) if readers else None
    return None


def _read_json(value: Any) -> Any:
    if not isinstance(value, str | bytes):
        return value
    try:
        return json.loads(value)
    except (ValueError, RecursionError) as err:
        return UnreadableValue(f"JSON that cannot be read ({err})")


def _read_parts(value: Any, readers: dict[str, Convert]) -> Any:
    if value is None:
        return None
    return {key: readers[key](part) if key in readers else part for key, part in value.items()}
