"""Reads what W&B wrote offline: LevelDB's log format with records of protocol buffers.

The format: a header of 7 bytes, then blocks of 32 KiB with records, each with a checksum (4 bytes),
a length (2), a type (1: whole, 2: first, 3: middle, 4: last part), and data.
"""

from __future__ import annotations

import json
import struct
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from wandb.proto import wandb_internal_pb2 as messages

_BLOCK = 32768
_HEADER = 7


def records(path: Path) -> Iterator[Any]:
    """Yield the records of a file `run-*.wandb`; Any: wandb's messages are untyped."""
    data, position, part = path.read_bytes(), _HEADER, b""
    while position + _HEADER <= len(data):
        left = _BLOCK - position % _BLOCK
        if left < _HEADER:
            position += left
            continue
        _, length, kind = struct.unpack_from("<IHB", data, position)
        position += _HEADER
        part += data[position : position + length]
        position += length
        if kind in (1, 4):
            record: Any = messages.Record()  # type: ignore[attr-defined]
            record.ParseFromString(part)
            part = b""
            yield record


def runs(folder: Path) -> dict[str, dict[str, Any]]:
    """Return the runs below a folder as `wandb sync` would bring them, later files over earlier.

    Returns:
        By run id: `name`, `summary`, `config`, `artifacts`.
    """
    found: dict[str, dict[str, Any]] = {}
    files = sorted(folder.rglob("run-*.wandb"), key=lambda path: path.stat().st_mtime_ns)
    for path in files:
        run = found.setdefault(
            path.stem.removeprefix("run-"), {"summary": {}, "config": {}, "artifacts": []}
        )
        run["summary"] = {}  # a synced file replaces the summary as a whole
        for record in records(path):
            kind = record.WhichOneof("record_type")
            if kind == "run":
                run["name"] = record.run.display_name
                _lay_over(run["config"], record.run.config.update)
            elif kind == "config":
                _lay_over(run["config"], record.config.update)
            elif kind == "summary":
                _lay_over(run["summary"], record.summary.update)
            elif kind == "artifact":
                run["artifacts"].append(record.artifact.name)
    return found


def staged_rows(folder: Path) -> list[dict[str, Any]]:
    """Return the rows of tables that wait below a folder, some of them twice; Any: cells."""
    rows = []
    for path in sorted(folder.rglob("*")):
        try:
            table = json.loads(path.read_text(encoding="utf-8")) if path.is_file() else {}
        except ValueError:
            continue
        if "columns" in table:
            rows += [dict(zip(table["columns"], cells, strict=True)) for cells in table["data"]]
    return rows


def _lay_over(known: dict[str, Any], items: Any) -> None:
    for item in items:
        known[item.key or "/".join(item.nested_key)] = json.loads(item.value_json)
