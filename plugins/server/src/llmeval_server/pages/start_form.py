"""What stands in the form that starts a job, and the run file that it makes."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any
from urllib.parse import parse_qs

import yaml

from llmeval_core.hooks import ConfigError

_ROWS = 2
_MOST_FIELDS = 1000
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
"""Which field a key of the run file comes from; of several in one place the last counts."""


@dataclass(frozen=True, slots=True)
class StartForm:
    """The form as it was filled in; numbers are text, because that is what people type.

    Args:
        text: the whole run file, if `as_text`.
        as_text: whether the run file is written by hand.
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
        """Make the run file: as text, or as JSON (Any) without what was left empty."""
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

    def written_out(self) -> StartForm:
        """Turn the fields into a run file to go on writing by hand."""
        run = self.run()
        text = (
            run
            if isinstance(run, str)
            else yaml.safe_dump(run, sort_keys=False, allow_unicode=True)
        )
        return replace(self, text=text, as_text=True)

    def with_room(self, more: int = 0) -> StartForm:
        """Add empty rows, so that there is always one to type in."""

        def room(rows: tuple[str, ...]) -> tuple[str, ...]:
            filled = tuple(_filled(rows))
            return filled + ("",) * max(_ROWS - len(filled), 1 + more)

        return replace(
            self,
            models=room(self.models),
            datasets=room(self.datasets),
            metrics=room(self.metrics),
        )


def read_form(body: bytes) -> tuple[StartForm, str]:
    """Read what a browser sent: the form, and the button that was pressed.

    Raises:
        ConfigError: there are more fields than a form of ours has.
    """
    try:
        fields = parse_qs(
            body.decode("utf-8", "replace"), keep_blank_values=True, max_num_fields=_MOST_FIELDS
        )
    except ValueError as err:
        raise ConfigError(
            f"the form has more than {_MOST_FIELDS:,} fields",
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
    """Say which field an error is about; None if it cannot be told."""
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
    """Make a number of what looks like one; the check of the run file refuses the rest."""
    if not text:
        return None
    return int(text) if re.fullmatch(r"-?\d{1,18}", text) else text
