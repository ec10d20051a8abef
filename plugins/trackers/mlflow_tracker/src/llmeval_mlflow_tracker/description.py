"""The description of a run in MLflow's UI: the model's scores as a Markdown table."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from datetime import UTC, datetime

from llmeval_mlflow_tracker.intervals import ValueSpread, read_spreads
from llmeval_mlflow_tracker.metric_points import MetricPoint
from llmeval_mlflow_tracker.metric_values import STDERR_SUFFIX, MetricValue
from llmeval_mlflow_tracker.names import MAX_TAG, legal_key
from llmeval_mlflow_tracker.tags import (
    DESCRIPTION_TAG,
    N_FAILED,
    N_SAMPLES,
    NONE_UNANSWERED,
    UNANSWERED,
    VERSION_TAG,
    definition_tag,
    name_tag,
    not_number_tag,
    read_table_only,
)

_BEGIN = "<!-- llmeval: begin -->"
_END = "<!-- llmeval: end -->"
_MAX_FAILURES = 500
_PLAIN = re.compile(r"[a-z0-9][\w./:@ -]*", re.ASCII | re.IGNORECASE)
_SPECIAL = re.compile(r"[\\`*_<|]")


def write_description(points: Mapping[str, MetricPoint], tags: Mapping[str, str]) -> str:
    """Return the description that a run in this state should have.

    It depends on the run alone, so any writer can repair it. Text that a person wrote before or
    after our part stays. The table has the metrics of whole tasks first, and as many rows as fit
    into 8,000 characters.

    Args:
        points: the latest point of every metric on the run, by key.
        tags: the run's tags, the description so far among them.
    """
    before, _, rest = tags.get(DESCRIPTION_TAG, "").partition(_BEGIN)
    after = rest.partition(_END)[2]
    failures = _failures(tags) + _unanswered(tags)
    space_left = MAX_TAG - len(before) - len(after) - len(_BEGIN) - len(_END) - len(failures) - 260
    rows = _rows(points, tags)
    shown: list[str] = []
    for row in rows:
        space_left -= len(row) + 1
        if space_left < 0:
            shown.append(f"\n{len(rows) - len(shown)} more are among the metrics.")
            break
        shown.append(row)
    newest = max((point.timestamp_ms for point in points.values()), default=0) / 1000
    when = datetime.fromtimestamp(newest, UTC).strftime("%Y-%m-%d %H:%M UTC")
    version = tags.get(VERSION_TAG, "?")
    # The wide spaces are the gaps between columns: MLflow's UI has none.
    head = (
        f"Last result {when}, llmeval {version}.{failures}\n\n"
        "| score | value&emsp; | ±&emsp;&emsp;&emsp; | definition |\n|:--|:--|:--|:--|"
    )
    return f"{before}{_BEGIN}\n" + "\n".join([head, *shown]) + f"\n{_END}{after}"


def _failures(tags: Mapping[str, str]) -> str:
    """Return a sentence with the tasks that have failed samples; empty if none has."""
    failed = [
        f"{_safe(task)} {n_failed} of {tags.get(N_SAMPLES + task, '?')}"
        for tag, n_failed in sorted(tags.items())
        if tag.startswith(N_FAILED) and n_failed != "0" and (task := tag.removeprefix(N_FAILED))
    ]
    if not failed:
        return ""
    text = f" Samples that failed: {', '.join(failed)}"
    return f"{text}." if len(text) <= _MAX_FAILURES else f"{text[:_MAX_FAILURES]}…"


def _unanswered(tags: Mapping[str, str]) -> str:
    """Return a sentence with the tasks that have samples without an answer; empty if none has."""
    unanswered = [
        f"{_safe(task)} {counted} of {tags.get(N_SAMPLES + task, '?')}"
        for tag, counted in sorted(tags.items())
        if tag.startswith(UNANSWERED)
        and counted != NONE_UNANSWERED
        and (task := tag.removeprefix(UNANSWERED))
    ]
    if not unanswered:
        return ""
    text = f" Not simply answered: {', '.join(unanswered)}"
    return f"{text}." if len(text) <= _MAX_FAILURES else f"{text[:_MAX_FAILURES]}…"


def _rows(points: Mapping[str, MetricPoint], tags: Mapping[str, str]) -> list[str]:
    table_only = read_table_only(tags)
    errors = {_stderr_key(key, tags) for key in points.keys() | table_only.keys()}
    keys = (points.keys() - errors) | table_only.keys()
    spreads = read_spreads(tags)
    rows = []
    for key in sorted(keys, key=lambda key: ("/" in key, key)):
        in_table = table_only.get(key, MetricValue(None, None))
        is_not_a_number = not_number_tag(key) in tags
        if key in points and math.isnan(points[key].value) and not is_not_a_number:
            continue  # withdrawn
        if key in points:
            value = points[key].value
            stderr = in_table.stderr
            if stderr is None:
                stderr = _stderr(points, key, _stderr_key(key, tags))
        elif in_table.value is not None:
            value, stderr = in_table.value, in_table.stderr
        else:
            continue
        title = tags.get(name_tag(key), key)
        definition = tags.get(definition_tag(title.partition("/")[0]), "")
        cells = (
            f"{_safe(title)}&emsp;",
            "not a number" if is_not_a_number else f"{value:.4f}",
            _uncertainty(value, stderr, None if is_not_a_number else spreads.get(key)),
            _safe(definition),
        )
        rows.append(f"| {' | '.join(cells)} |")
    return rows


def _uncertainty(value: float, stderr: float | None, spread: ValueSpread | None) -> str:
    """Write interval or standard error, and n; a spread that is of another value is left out."""
    if spread is not None and math.isclose(spread.value, value, rel_tol=1e-6, abs_tol=1e-9):
        return spread.shown(stderr)
    return "" if stderr is None else f"{stderr:.4f}"


def _stderr_key(key: str, tags: Mapping[str, str]) -> str:
    """Return the key that a metric's standard error has, if there is one."""
    return legal_key(tags.get(name_tag(key), key) + STDERR_SUFFIX)


def _stderr(points: Mapping[str, MetricPoint], key: str, stderr_key: str) -> float | None:
    """Return a metric's standard error; None if it was written with another value."""
    error = points.get(stderr_key)
    if error is None or error.timestamp_ms != points[key].timestamp_ms or math.isnan(error.value):
        return None
    return error.value


def _safe(text: str) -> str:
    """Escape a name so that Markdown shows it as it is, in one cell."""
    line = text.replace("\n", " ")
    return line if _PLAIN.fullmatch(line) else _SPECIAL.sub(r"\\\g<0>", line)
