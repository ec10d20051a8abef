"""What was written to a model's run so far: a file of ours, because W&B offline cannot read back.

An offline run is a folder that nobody reads before `wandb sync`, and each delivery makes one. The
summary so far is kept here, so that the last folder has all of it. Online the server has it too,
and what other machines wrote is taken from there.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from llmeval_core.hooks import Json
from llmeval_core.support import write_atomically

_RESULTS = "llmeval/results/"
_MAX_IDS = 100


@dataclass(slots=True)
class RunState:
    """A run's summary and config, by key."""

    summary: dict[str, Json] = field(default_factory=dict)
    config: dict[str, Json] = field(default_factory=dict)

    def has(self, task: str, result_id: str) -> bool:
        """Whether a result was delivered before, even if a newer one has replaced it."""
        return result_id in str(self.summary.get(_RESULTS + task, "")).split()

    def add_result(self, task: str, result_id: str) -> None:
        """Record that a result was delivered; only the newest hundred ids are kept."""
        known = str(self.summary.get(_RESULTS + task, "")).split()
        self.summary[_RESULTS + task] = " ".join([result_id, *known[: _MAX_IDS - 1]])


def merge_remote(
    state: RunState, summary: Mapping[str, object], config: Mapping[str, object]
) -> None:
    """Take over what the run has on the server: another machine may have written to it.

    The server's value wins. Offline both mappings are empty.
    """
    remote: dict[str, Json] = {
        key: value
        for key, value in summary.items()
        if isinstance(value, str | int | float) and not key.startswith("_")
    }
    state.summary = {**state.summary, **remote}
    for key in ("datasets", "definitions"):
        ours, theirs = state.config.get(key, {}), config.get(key, {})
        if isinstance(ours, dict) and isinstance(theirs, dict):
            state.config[key] = {**ours, **theirs}


def load_state(path: Path) -> RunState:
    """Read a run's state; an empty one if there is no file.

    Raises:
        OSError, ValueError: the file cannot be read.
    """
    try:
        stored = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return RunState()
    return RunState(dict(stored["summary"]), dict(stored["config"]))


def save_state(path: Path, state: RunState) -> None:
    """Replace the file as a whole, so that a crash leaves the old or the new one.

    Raises:
        OSError: the file cannot be written.
    """
    stored = {"summary": state.summary, "config": state.config}
    write_atomically(path, json.dumps(stored, ensure_ascii=False), durable=True)
