"""The form that starts a job, and its conversion to a run file."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any
from urllib.parse import parse_qs

import yaml

from llmeval_core.hooks import ConfigError

_ROWS = 2
_MAX_FIELDS = 1000
_FIELDS_OF_KEYS = {
    "models": "model",
    "shots": "shots",
    "tasks": "dataset",
    "metrics": "metric",
    "trackers": "tracker",
    "limit": "limit",
    "concurrency": "concurrency",
    "max_tokens": "max_tokens",
    "budget": "budget",
    "name": "name",
}
"""The form's field by key of the run file; the last key that a path contains counts."""


@dataclass(frozen=True, slots=True)
class StartForm:
    """The form as it was filled in; numbers are still text.

    Args:
        text: the whole run file, if `as_text`.
        as_text: whether the run file was written by hand.
    """

    models: tuple[str, ...] = ()
    datasets: tuple[str, ...] = ()
    metrics: tuple[str, ...] = ()
    trackers: tuple[str, ...] = ()
    shots: str = ""
    limit: str = ""
    concurrency: str = ""
    max_tokens: str = ""
    budget: str = ""
    name: str = ""
    text: str = ""
    as_text: bool = False

    def run(self) -> dict[str, Any] | str:
        """Return the run file as text, or as JSON (Any) without empty fields."""
        if self.as_text:
            return self.text
        shots = [_number(part) for part in re.split(r"[,、\s]+", self.shots) if part]
        task = {"shots": shots} if shots else {}
        run: dict[str, Any] = {
            "models": _filled(self.models),
            "tasks": [{"dataset": dataset, **task} for dataset in _filled(self.datasets)],
            "metrics": _filled(self.metrics),
            "trackers": _filled(self.trackers),
            "limit": _number(self.limit),
            "concurrency": _number(self.concurrency),
            "generation": {"max_tokens": _number(self.max_tokens)} if self.max_tokens else None,
            "budget": {"tokens": _number(self.budget)} if self.budget else None,
        }
        needed = ("models", "tasks")
        return {key: value for key, value in run.items() if value or key in needed}

    def as_run_file(self) -> StartForm:
        """Convert the fields to a run file that can be edited by hand."""
        run = self.run()
        text = (
            run
            if isinstance(run, str)
            else yaml.safe_dump(run, sort_keys=False, allow_unicode=True)
        )
        return replace(self, text=text, as_text=True)

    def with_empty_rows(self, n_more: int = 0) -> StartForm:
        """Add empty rows, so that each list has at least one."""

        def padded(rows: tuple[str, ...]) -> tuple[str, ...]:
            filled = tuple(_filled(rows))
            return filled + ("",) * max(_ROWS - len(filled), 1 + n_more)

        return replace(
            self,
            models=padded(self.models),
            datasets=padded(self.datasets),
            metrics=padded(self.metrics),
        )


def parse_form(body: bytes) -> tuple[StartForm, str]:
    """Parse a posted form; return it and the button that was pressed.

    Raises:
        ConfigError: there are too many fields.
    """
    try:
        fields = parse_qs(
            body.decode("utf-8", "replace"), keep_blank_values=True, max_num_fields=_MAX_FIELDS
        )
    except ValueError as err:
        raise ConfigError(
            f"the form has more than {_MAX_FIELDS:,} fields",
            where="form",
            hint="write it as a run file, or split it into several jobs",
        ) from err
    form = StartForm(
        models=_all(fields, "model"),
        datasets=_all(fields, "dataset"),
        metrics=_all(fields, "metric"),
        trackers=_all(fields, "tracker"),
        shots=_one(fields, "shots"),
        limit=_one(fields, "limit"),
        concurrency=_one(fields, "concurrency"),
        max_tokens=_one(fields, "max_tokens"),
        budget=_one(fields, "budget"),
        name=_one(fields, "name"),
        text=fields.get("text", [""])[-1].replace("\r\n", "\n"),
        as_text="text" in fields,
    )
    return form, _one(fields, "action")


def field_of(where: str | None) -> str | None:
    """Return the field that an error is about; None if unknown."""
    named = [field for key, field in _FIELDS_OF_KEYS.items() if where and key in where]
    for exact in ("shots", "metric", "max_tokens"):
        if exact in named:
            return exact
    return named[0] if named else None


def _all(fields: Mapping[str, Sequence[str]], name: str) -> tuple[str, ...]:
    return tuple(value.strip() for value in fields.get(name, ()))


def _one(fields: Mapping[str, Sequence[str]], name: str) -> str:
    return fields.get(name, ("",))[-1].strip()


def _filled(values: Sequence[str]) -> list[str]:
    return [value for value in values if value]


def _number(text: str) -> int | str | None:
    """Convert to a number if it looks like one; else the check of the run file refuses it."""
    if not text:
        return None
    return int(text) if re.fullmatch(r"-?\d{1,18}", text) else text
