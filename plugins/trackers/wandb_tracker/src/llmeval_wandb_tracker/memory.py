"""What was delivered to a model's run: a file of ours, because W&B offline cannot read back.

An offline run is a folder that nobody reads before `wandb sync`; each delivery makes one. So that
the last of them says everything, the summary so far is kept here. Online the server knows too,
and what other machines wrote is taken from there.
"""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from llmeval_core.hooks import Json

_RESULTS = "llmeval/results/"
_MOST_IDS = 100


@dataclass(slots=True)
class Memory:
    """A run's summary and config, by key."""

    summary: dict[str, Json] = field(default_factory=dict)
    config: dict[str, Json] = field(default_factory=dict)

    def has(self, task: str, result_id: str) -> bool:
        """Tell whether a result was delivered before, though it may be overtaken by now."""
        return result_id in str(self.summary.get(_RESULTS + task, "")).split()

    def add_result(self, task: str, result_id: str) -> None:
        """Note that a result is there; the oldest ids go when there are very many."""
        known = str(self.summary.get(_RESULTS + task, "")).split()
        self.summary[_RESULTS + task] = " ".join([result_id, *known[: _MOST_IDS - 1]])


def learn(memory: Memory, summary: Mapping[str, object], config: Mapping[str, object]) -> None:
    """Take over what the run has on the server and we have not: another machine may write to it.

    Offline there is no server, and nothing is learnt.
    """
    known: dict[str, Json] = {
        key: value
        for key, value in summary.items()
        if isinstance(value, str | int | float) and not key.startswith("_")
    }
    memory.summary = {**memory.summary, **known}
    for key in ("datasets", "definitions"):
        ours, theirs = memory.config.get(key, {}), config.get(key, {})
        if isinstance(ours, dict) and isinstance(theirs, dict):
            memory.config[key] = {**ours, **theirs}


def read_memory(path: Path) -> Memory:
    """Read what is remembered; nothing if there is no file.

    Raises:
        OSError, ValueError: the file cannot be read.
    """
    try:
        stored = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return Memory()
    return Memory(dict(stored["summary"]), dict(stored["config"]))


def write_memory(path: Path, memory: Memory) -> None:
    """Put a new file in the place of the old one, so that a crash leaves one of them whole.

    Raises:
        OSError: the file cannot be written.
    """
    unfinished = path.with_suffix(".unfinished")
    stored = {"summary": memory.summary, "config": memory.config}
    with unfinished.open("w", encoding="utf-8") as file:
        json.dump(stored, file, ensure_ascii=False)
        file.flush()
        os.fsync(file.fileno())
    unfinished.replace(path)
