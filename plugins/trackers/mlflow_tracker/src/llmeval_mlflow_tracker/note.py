"""The description of a run in MLflow's UI: the model's scores as a Markdown table."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime

from llmeval_mlflow_tracker.names import MAX_TAG
from llmeval_mlflow_tracker.overwrite import Point
from llmeval_mlflow_tracker.scores import STDERR_SUFFIX, Score
from llmeval_mlflow_tracker.tags import (
    NOTE_TAG,
    VERSION_TAG,
    definition_tag,
    name_tag,
    not_number_tag,
    read_table_only,
)

_BEGIN = "<!-- llmeval: begin -->"
_END = "<!-- llmeval: end -->"


def write_note(points: Mapping[str, Point], tags: Mapping[str, str]) -> str:
    """Return the description that a run in this state should have.

    It depends on nothing but the run, so whoever writes last can put it right. What a person
    wrote before or after our part stays. The table has the metrics of whole tasks first, and as
    many rows as fit into 8,000 characters.

    Args:
        points: the latest point of every metric on the run, by key.
        tags: the run's tags, the description so far among them.
    """
    before, _, rest = tags.get(NOTE_TAG, "").partition(_BEGIN)
    after = rest.partition(_END)[2]
    room = MAX_TAG - len(before) - len(after) - len(_BEGIN) - len(_END) - 260
    rows = _rows(points, tags)
    shown: list[str] = []
    for row in rows:
        room -= len(row) + 1
        if room < 0:
            shown.append(f"\n{len(rows) - len(shown)} more are among the metrics.")
            break
        shown.append(row)
    newest = max((point.timestamp_ms for point in points.values()), default=0) / 1000
    when = datetime.fromtimestamp(newest, UTC).strftime("%Y-%m-%d %H:%M UTC")
    version = tags.get(VERSION_TAG, "?")
    head = (
        f"Last result {when}, llmeval {version}.\n\n"
        "| score | value | ± | definition |\n|:--|--:|--:|:--|"
    )
    return f"{before}{_BEGIN}\n" + "\n".join([head, *shown]) + f"\n{_END}{after}"


def _rows(points: Mapping[str, Point], tags: Mapping[str, str]) -> list[str]:
    table_only = read_table_only(tags)
    keys = {key for key in points if not _is_stderr(key, points, table_only)} | table_only.keys()
    rows = []
    for key in sorted(keys, key=lambda key: ("/" in key, key)):
        elsewhere = table_only.get(key, Score(None, None))
        if key in points:
            value = points[key].value
            stderr = _stderr(points, key) if elsewhere.stderr is None else elsewhere.stderr
        elif elsewhere.value is not None:
            value, stderr = elsewhere.value, elsewhere.stderr
        else:
            continue
        title = tags.get(name_tag(key), key)
        definition = tags.get(definition_tag(title.partition("/")[0]), "")
        cells = (
            _safe(title),
            f"not a number (before: {value:.4f})"
            if not_number_tag(key) in tags
            else f"{value:.4f}",
            "" if stderr is None else f"{stderr:.4f}",
            _safe(definition),
        )
        rows.append(f"| {' | '.join(cells)} |")
    return rows


def _is_stderr(key: str, points: Mapping[str, Point], table_only: Mapping[str, Score]) -> bool:
    of = key.removesuffix(STDERR_SUFFIX)
    return of != key and (of in points or of in table_only)


def _safe(text: str) -> str:
    return text.replace("|", "\\|").replace("\n", " ")


def _stderr(points: Mapping[str, Point], key: str) -> float | None:
    """Return the standard error if it belongs to this very value."""
    error = points.get(key + STDERR_SUFFIX)
    if error is None or error.timestamp_ms != points[key].timestamp_ms:
        return None
    return error.value
